"""A subnet that OpenSM brings up on ibsim, and what it and ibdmchk say of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("ibsim", "opensm", "ibdmchk", "ibnetdiscover", "dump_lfts")
PRELOADS = ("/usr/lib/x86_64-linux-gnu/umad2sim/libumad2sim.so", "/usr/lib/aarch64-linux-gnu/umad2sim/libumad2sim.so")


def needed() -> None:
    """Skip without the programs; fail where FABRICTOOL_CLIENTS=required says that they must be there."""
    path = os.environ["PATH"] + os.pathsep + "/usr/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    missing += [] if any(Path(name).is_file() for name in PRELOADS) else ["libumad2sim.so"]
    if missing:
        what = f"needs {', '.join(missing)}: install ibsim-utils opensm ibutils infiniband-diags"
        if os.environ.get("FABRICTOOL_CLIENTS") == "required":
            pytest.fail(what)
        pytest.skip(what)


@dataclass(frozen=True)
class Subnet:
    """A running ibsim with the folder that its clients write into."""

    folder: Path
    environment: dict[str, str]
    simulator: subprocess.Popen[str]

    def run(self, *command: str, limit_s: float = 120.0) -> str:
        """Run a client; return what it printed."""
        preload = next(name for name in PRELOADS if Path(name).is_file())
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment | {"LD_PRELOAD": preload},
            capture_output=True, text=True, timeout=limit_s, check=False,
        )  # fmt: skip
        return done.stdout

    def opensm(self, *options: str) -> str:
        """Let OpenSM route once and leave its dumps; return its log."""
        self.run(
            "opensm", "-o", "-e", "-F", "/dev/null", "-f", str(self.folder / "osm.log"), "-D", "0x43", "-d", "2",
            "--dump_files_dir", str(self.folder), *options,
        )  # fmt: skip
        return (self.folder / "osm.log").read_text(errors="replace")

    @contextmanager
    def managed(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Let OpenSM stay; SIGHUP makes it sweep."""
        preload = next(name for name in PRELOADS if Path(name).is_file())
        place = ("-f", str(self.folder / "osm.log"), "--dump_files_dir", str(self.folder))
        command = ("opensm", "-F", "/dev/null", "-D", "0x43", *place, *options)
        manager = subprocess.Popen(
            command, cwd=self.folder, env=self.environment | {"LD_PRELOAD": preload},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            yield manager
        finally:
            manager.kill()
            manager.wait()

    def console(self, command: str) -> None:
        """Type a line into ibsim's console."""
        assert self.simulator.stdin is not None
        self.simulator.stdin.write(command + "\n")
        self.simulator.stdin.flush()

    def ibdmchk(self) -> str:
        """Check the dumps; the packaged program crashes at its end, so what it printed is what counts."""
        command = ("ibdmchk", "-s", "opensm-subnet.lst", "-f", "opensm.fdbs", "-m", "opensm.mcfdbs")
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        return done.stdout


@contextmanager
def subnet(folder: Path, netfile: str) -> Iterator[Subnet]:
    """Simulate the network of a netfile."""
    needed()
    (folder / "fabric.net").write_text(netfile)
    environment = os.environ | {
        "PATH": os.environ["PATH"] + os.pathsep + "/usr/sbin",
        "IBSIM_SOCKNAME": f"fabrictool-{os.getpid()}-{time.monotonic_ns()}",
        "OSM_TMP_DIR": str(folder),
        "OSM_CACHE_DIR": str(folder),
    }
    command = ("ibsim", "-s", "-N", "20000", "-S", "4000", "-P", "200000", "fabric.net")
    with (folder / "ibsim.log").open("w") as log:
        simulator = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True
        )
        try:
            time.sleep(0.5)
            assert simulator.poll() is None, (folder / "ibsim.log").read_text()
            yield Subnet(folder, environment, simulator)
        finally:
            simulator.kill()
            simulator.communicate()
