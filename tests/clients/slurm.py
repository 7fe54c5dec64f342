"""slurmctld on a topology, with neither slurmd nor services of the system."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from clients.needed import PATH, program

PACKAGES = "slurmctld slurm-client slurm-wlm-basic-plugins munge"
ENVIRONMENT = os.environ | {"PATH": PATH}


def topology_shown(folder: Path, text: str, hosts: Sequence[str], limit_s: float = 60.0) -> tuple[str, str]:
    """Return what ``scontrol show topology`` prints, empty if slurmctld refused the file, and slurmctld's log."""
    for name in ("munged", "slurmctld", "scontrol"):
        program(name, PACKAGES)
    folder.chmod(0o755)
    (folder / "topology.conf").write_text(text)
    (folder / "slurm.conf").write_text(_configuration(folder, hosts))
    environment = ENVIRONMENT | {"SLURM_CONF": str(folder / "slurm.conf")}
    with ExitStack() as running:
        running.enter_context(_munged(folder))
        command = ("slurmctld", "-D", "-f", str(folder / "slurm.conf"))
        controller = running.enter_context(_started(command, environment))
        end, shown = time.monotonic() + limit_s, ""
        while time.monotonic() < end and controller.poll() is None and not shown:
            asked = subprocess.run(
                ("scontrol", "show", "topology"), env=environment, capture_output=True, text=True, check=False
            )
            shown = asked.stdout if asked.returncode == 0 and "Name=" in asked.stdout else ""
            time.sleep(0.1)
    return shown, (folder / "ctld.log").read_text(errors="replace")


def _configuration(folder: Path, hosts: Sequence[str]) -> str:
    """Return slurm.conf; each host has a loopback address, for names that nobody knows take seconds each."""
    user, here = getpass.getuser(), socket.gethostname().split(".")[0]
    rows = [
        f"NodeName={name} NodeAddr=127.{1 + row // 62500}.{row // 250 % 250}.{row % 250 + 1} CPUs=8 State=UNKNOWN"
        for row, name in enumerate(hosts)
    ]
    for part in ("state", "spool"):
        (folder / part).mkdir()
    return "\n".join([
        "ClusterName=test", f"SlurmctldHost={here}(127.0.0.1)", f"SlurmctldPort={_free_port()}", f"SlurmUser={user}",
        "AuthType=auth/munge", f"AuthInfo=socket={folder}/munge.sock", "CredType=cred/munge",
        f"StateSaveLocation={folder}/state", f"SlurmdSpoolDir={folder}/spool", f"SlurmctldPidFile={folder}/ctld.pid",
        f"SlurmctldLogFile={folder}/ctld.log", "SlurmctldDebug=debug", "SelectType=select/cons_tres",
        "TopologyPlugin=topology/tree", "ProctrackType=proctrack/pgid", "TaskPlugin=task/none", "MpiDefault=none",
        *rows, "PartitionName=all Nodes=ALL Default=YES State=UP", "",
    ])  # fmt: skip


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@contextmanager
def _munged(folder: Path) -> Iterator[None]:
    place = folder / "munge"
    place.mkdir(mode=0o700)
    (place / "key").write_bytes(os.urandom(1024))
    (place / "key").chmod(0o400)
    command = (
        "munged", "--foreground", "--force", f"--key-file={place}/key", f"--socket={folder}/munge.sock",
        f"--pid-file={place}/pid", f"--log-file={place}/log", f"--seed-file={place}/seed",
    )  # fmt: skip
    with _started(command, ENVIRONMENT):
        yield


@contextmanager
def _started(command: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    running = subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield running
    finally:
        running.kill()
        running.wait()
