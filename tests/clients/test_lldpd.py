"""Real lldpd in network namespaces: what it prints verifies against the plan of the veth pairs between them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import fabrictool as ft

PLANNED = {
    ("gpu01", "rail0"): ("leaf1", "swp1s0"),
    ("gpu01", "rail1"): ("leaf2", "swp1s0"),
    ("gpu02", "rail0"): ("leaf1", "swp1s1"),
    ("gpu02", "rail1"): ("leaf2", "swp1s1"),
}
Wires = dict[tuple[str, str], tuple[str, str]]


def _needed() -> None:
    path = os.environ["PATH"] + os.pathsep + "/usr/sbin"
    missing = [name for name in ("lldpd", "lldpcli", "ip") if shutil.which(name, path=path) is None]
    if not missing and os.geteuid() == 0 and _run("ip", "netns", "add", "ft-probe").returncode == 0:
        _run("ip", "netns", "del", "ft-probe")
        return
    what = f"needs {', '.join(missing)}" if missing else "needs root and network namespaces"
    if missing and os.environ.get("FABRICTOOL_CLIENTS") == "required":
        pytest.fail(what)
    pytest.skip(what)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": os.environ["PATH"] + os.pathsep + "/usr/sbin:/sbin"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env=environment)


@contextmanager
def _namespaces(wires: Wires) -> Iterator[dict[str, str]]:
    """Machines by name, as namespaces, joined by veth pairs."""
    names = sorted({name for pair in wires.items() for name, _ in pair})
    spaces = {name: f"ft{os.getpid()}-{name}" for name in names}
    with ExitStack() as stack:
        for space in spaces.values():
            assert _run("ip", "netns", "add", space).returncode == 0
            stack.callback(_run, "ip", "netns", "del", space)
        for ends in wires.items():
            _run("ip", "link", "add", "ftv0", "type", "veth", "peer", "name", "ftv1")
            for temporary, (name, port) in zip(("ftv0", "ftv1"), ends, strict=True):
                _run("ip", "link", "set", temporary, "netns", spaces[name])
                _run("ip", "-n", spaces[name], "link", "set", temporary, "name", port)
                _run("ip", "-n", spaces[name], "link", "set", port, "up")
        yield spaces


@contextmanager
def _daemons(spaces: dict[str, str], folder: Path) -> Iterator[dict[str, Path]]:
    """A lldpd in each namespace; its sockets by name, in a folder that an unprivileged lldpcli can enter."""
    running, sockets = [], {}
    try:
        for name, space in spaces.items():
            sockets[name] = folder / f"{name}.sock"
            (folder / f"{name}.conf").write_text(
                f"configure system hostname {name}\nconfigure lldp portidsubtype ifname\nconfigure lldp tx-interval 1\n"
            )
            command = ("ip", "netns", "exec", space, "/usr/sbin/lldpd", "-d", "-u", str(sockets[name]), "-O")
            running.append(
                subprocess.Popen(
                    [*command, str(folder / f"{name}.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        yield sockets
    finally:
        for daemon in running:
            daemon.kill()
            daemon.wait()


def _dumps(wires: Wires, folder: Path, form: str) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="ft-lldp-") as short, _namespaces(wires) as spaces:
        Path(short).chmod(0o755)
        with _daemons(spaces, Path(short)) as sockets:
            _wait(sockets)
            for name, socket in sockets.items():
                text = _run("lldpcli", "-u", str(socket), "show", "neighbors", "details", "-f", form).stdout
                (folder / f"{name}.{form}").write_text(text)
    return [str(folder / f"{name}.{form}") for name in sorted(sockets)]


def _wait(sockets: dict[str, Path], limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        texts = [_run("lldpcli", "-u", str(s), "show", "neighbors", "-f", "keyvalue").stdout for s in sockets.values()]
        if all(text.count("port.ifname") == 2 for text in texts):
            return
        time.sleep(0.2)
    pytest.fail("the daemons did not find each other")


def _plan(folder: Path) -> str:
    rows = [f"{a},{i},{z},{j},400" for (a, i), (z, j) in PLANNED.items()]
    (folder / "plan.csv").write_text("\n".join(["a_device,a_port,z_device,z_port,speed_gbps", *rows, ""]))
    return str(folder / "plan.csv")


@pytest.mark.parametrize("form", ["json", "json0"])
def test_what_lldpd_sees_is_the_plan(form: str, tmp_path: Path) -> None:
    _needed()
    found = ft.verify(_plan(tmp_path), _dumps(PLANNED, tmp_path, form))
    assert found.findings == ()
    assert found.summary.as_expected == 4


def test_rails_swapped_on_a_host_are_found(tmp_path: Path) -> None:
    _needed()
    wires = PLANNED | {("gpu02", "rail0"): ("leaf2", "swp1s1"), ("gpu02", "rail1"): ("leaf1", "swp1s1")}
    found = ft.verify(_plan(tmp_path), _dumps(wires, tmp_path, "json0"))
    assert [(row.root_cause, row.subject) for row in found.causes] == [
        ("rails-swapped", ("gpu02:rail0", "gpu02:rail1"))
    ]
