"""The InfiniBand tools list what OpenSM brings up of our export as planned; a cable moved in the simulator is found."""

from __future__ import annotations

from pathlib import Path

import fabrics
import pytest
from clients.subnet import Subnet, subnet

import fabrictool as ft
from fabrictool.fabric import Fabric
from fabrictool.formats.identities import identities
from fabrictool.formats.netfile import netfile
from fabrictool.verification import Verification

FABRICS = {"ft64": fabrics.pgft((8, 8), (1, 8), (1, 1)), "two units": fabrics.rails(12, 4, 4, 4)}


def _listed(running: Subnet, folder: Path, tool: str) -> str:
    assert "SUBNET UP" in running.opensm("-R", "minhop")
    command = tool.split()
    (folder / f"{command[-1].strip('-')}.out").write_text(running.run(*command))
    return str(folder / f"{command[-1].strip('-')}.out")


def _verified(fabric: Fabric, folder: Path, tool: str, *commands: str) -> Verification:
    with subnet(folder, "".join(netfile(fabric, 0, ibsim=True))) as running:
        for command in commands:
            running.console(command)
        return ft.verify(fabric, _listed(running, folder, tool))


@pytest.mark.parametrize("tool", ["ibnetdiscover", "ibnetdiscover -p", "iblinkinfo", "iblinkinfo -l"])
@pytest.mark.parametrize("name", sorted(FABRICS))
def test_what_we_exported_is_what_we_planned(name: str, tool: str, tmp_path: Path) -> None:
    fabric = FABRICS[name]
    found = _verified(fabric, tmp_path, tool)
    assert [row.root_cause for row in found.causes] == ["wrong-speed"] * len(found.causes)
    assert found.summary.as_expected == len(fabric.links)


def _guid(fabric: Fabric, device: str) -> str:
    return f"S-{int(identities(fabric, 0).switch_guid[fabric.names.index(device)]):016x}"


def test_one_swapped_cable_in_the_simulator_is_found(tmp_path: Path) -> None:
    """Ports 9 of leaf-01 and 10 of leaf-02 change their far ends on spines."""
    fabric = FABRICS["ft64"]
    one, two = _guid(fabric, "leaf-01"), _guid(fabric, "leaf-02")
    far = (_guid(fabric, "spine-01"), _guid(fabric, "spine-02"))
    cut = (f'Unlink "{one}"[9]', f'Unlink "{two}"[10]')
    joined = (f'Link "{one}"[9] "{far[1]}"[2]', f'Link "{two}"[10] "{far[0]}"[1]')
    found = _verified(fabric, tmp_path, "ibnetdiscover", *cut, *joined)
    (cause,) = (row for row in found.causes if row.root_cause != "wrong-speed")
    assert cause.root_cause == "swapped-pair"
    assert set(cause.ports) == {"leaf-01:9", "spine-01:1", "leaf-02:10", "spine-02:2"}


def test_a_pulled_cable_in_the_simulator_is_found(tmp_path: Path) -> None:
    fabric = FABRICS["ft64"]
    found = _verified(fabric, tmp_path, "iblinkinfo", f'Unlink "{_guid(fabric, "leaf-03")}"[12]')
    (cause,) = (row for row in found.causes if row.root_cause != "wrong-speed")
    assert (cause.root_cause, cause.links) == ("missing-link", ("leaf-03:12 - spine-04:3",))
