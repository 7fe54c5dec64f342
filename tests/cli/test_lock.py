"""Locks as users meet them: written, filled in, edited around, compared, and broken."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import call

Capture = pytest.CaptureFixture[str]
TYPE = "{name: h, gpus: 1, u: 2, nics: [{role: compute, count: 1, ports_each: 1, speed: 400G, cage: OSFP}]}"
SWITCH = "{name: sw, ports: 16, speed: 400G, latency: 300 ns, u: 1, cages: 16, cage: OSFP}"
LAYOUT = f"""
name: small
hosts:
  - {{name: gpu, type: {TYPE}, count: 8}}
networks:
  compute: {{family: fat-tree, speed: 400G, hosts_per_leaf: 8,
             leaf: {{type: {SWITCH}}}, spine: {{type: {SWITCH}, count: 2}}}}
racks: {{type: rack-48u, hosts_per_rack: 4}}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(LAYOUT)
    assert call(capsys, "cables", "small.yaml", "--lock", "-q") == (0, "", "")


def _edit(pattern: str, text: str, path: str = "small.yaml", count: int = 1) -> None:
    """Replace so many places of a file, which must be there."""
    found, number = re.subn(pattern, text, Path(path).read_text(), count=count)
    assert number
    Path(path).write_text(found)


def _plan(capsys: Capture) -> dict[str, dict[str, str]]:
    status, _, err = call(capsys, "cables", "small.yaml", "-o", "plan.csv", "-q")
    assert status in (0, 1), err
    return {row["cable_id"]: row for row in csv.DictReader(io.StringIO(Path("plan.csv").read_text()))}


def _ids(capsys: Capture, *arguments: str) -> set[str]:
    _, out, _ = call(capsys, "cables", "small.yaml", "--json", *arguments)
    return {row["id"] for row in json.loads(out)["findings"]}


def test_a_lock_is_one_line_an_identity(capsys: Capture) -> None:
    lines = Path("small.lock").read_text().splitlines()
    assert lines[0] == "fabrictool-lock,3,small"
    assert "device,gpu-01,gpu#1,h,r01,1,,,planned" in lines
    assert "device,leaf-01,compute:leaf#1,sw,r03,1,,,planned" in lines
    assert [line.split(",")[0] for line in lines].count("cable") == 8 + 8
    assert lines[-1] == "end"
    first = next(line for line in lines if line.startswith("cable,C-gpu-01-1,"))
    assert first.startswith("cable,C-gpu-01-1,1,gpu-01,1,leaf-01,1,m1,")
    before = Path("small.lock").read_bytes()
    call(capsys, "cables", "small.yaml", "--lock", "-q")
    assert Path("small.lock").read_bytes() == before


def test_names_keep_their_width_when_a_site_grows(capsys: Capture) -> None:
    before = _plan(capsys)
    _edit("count: 8", "count: 120")
    _edit("count: 2", "count: 8")
    after = _plan(capsys)
    hosts = {name: row for name, row in before.items() if name.startswith("C-gpu")}
    assert {name: after[name] for name in hosts} == hosts
    assert {f"C-gpu-{row:02d}-1" for row in range(1, 121)} <= set(after)
    Path("small.lock").unlink()
    assert "C-gpu-001-1" in _plan(capsys)


def test_what_is_gone_gives_its_name_to_nothing(capsys: Capture) -> None:
    _edit("count: 8", "count: 6")
    assert call(capsys, "cables", "small.yaml", "--lock", "-q")[0] == 0
    assert "device,gpu-08,gpu#8,h,r02,7,,,removed" in Path("small.lock").read_text()
    _edit("count: 6", "count: 8")
    after = _plan(capsys)
    assert {"C-gpu-06-1", "C-gpu-09-1", "C-gpu-10-1"} <= set(after)
    assert not {"C-gpu-07-1", "C-gpu-08-1"} & set(after)
    _edit(r"(device,gpu-0[78]|cable,C-gpu-0[78]).*\n", "", "small.lock", count=4)  # released
    assert {"C-gpu-07-1", "C-gpu-08-1"} <= set(_plan(capsys))


def test_a_reverted_edit_leaves_no_trace(capsys: Capture) -> None:
    before = _plan(capsys)
    _edit("count: 8", "count: 3")
    assert len(_plan(capsys)) < len(before)
    _edit("count: 3", "count: 8")
    assert _plan(capsys) == before


def test_what_people_fill_in_stays_and_shows(capsys: Capture) -> None:
    _edit("(device,gpu-03,.*),,,planned", r"\1,0x0002c90300a1b2c3,SN-7,installed", "small.lock")
    _edit("(cable,C-gpu-03-1,.*),,planned", r"\1,LOT-5,installed", "small.lock")
    assert _plan(capsys)["C-gpu-03-1"]["status"] == "installed"
    _edit("count: 8", "count: 12")
    call(capsys, "cables", "small.yaml", "--lock", "-q")
    text = Path("small.lock").read_text()
    assert "device,gpu-03,gpu#3,h,r01,5,0x0002c90300a1b2c3,SN-7,installed\n" in text
    assert re.search("cable,C-gpu-03-1,.*,LOT-5,installed\n", text)


def test_a_host_seen_by_its_guid_alone_is_found_by_the_lock(capsys: Capture) -> None:
    _edit("(device,leaf-01,.*),,,planned", r"\1,0002c90300a1b2c3,,installed", "small.lock")
    call(capsys, "export", "small.yaml", "--to", "edges", "-o", "seen.csv")
    text = Path("seen.csv").read_text().replace("leaf-01", "S-0002c90300a1b2c3")
    Path("seen.csv").write_text(text)
    status, out, err = call(capsys, "verify", "small.yaml", "seen.csv", "--json")
    found = json.loads(out)
    assert (status, err, found["summary"]["as_expected"]) == (0, "", 16)
    assert not [row for row in found["findings"] if "guid" in row["message"].lower() or row["severity"] == "error"]


def test_installed_things_that_a_layout_denies_are_contradictions(capsys: Capture) -> None:
    _edit("(device,gpu-08,.*),planned", r"\1,installed", "small.lock")
    line = next(at for at, row in enumerate(Path("small.lock").read_text().splitlines(), 1) if "device,gpu-08," in row)
    _edit("count: 8", "count: 7")
    status, out, _ = call(capsys, "cables", "small.yaml", "--json")
    finding = next(row for row in json.loads(out)["findings"] if row["id"] == "lock-contradiction")
    assert (status, finding["severity"], finding["where"]) == (1, "error", f"small.lock:{line}:1")
    assert "gpu-08 is installed at r02 unit 7" in finding["message"]
    before = Path("small.lock").read_bytes()
    status, out, err = call(capsys, "cables", "small.yaml", "--lock")
    assert (status, out) == (2, "")
    assert err.startswith(f"small.lock:{line}:1: gpu-08 is installed")
    assert "write 'removed' there" in err
    assert Path("small.lock").read_bytes() == before
    _edit("(device,gpu-08,.*),installed", r"\1,removed", "small.lock")
    assert call(capsys, "cables", "small.yaml", "--lock", "-q")[0] == 0


def test_another_type_where_one_is_installed_is_a_contradiction(capsys: Capture) -> None:
    _edit("(device,leaf-01,.*),planned", r"\1,installed", "small.lock")
    _edit("leaf: {type: {name: sw,", "leaf: {type: {name: other,")
    assert "lock-contradiction" in _ids(capsys)
    _edit("(device,leaf-01,.*),installed", r"\1,planned", "small.lock")
    assert "lock-contradiction" not in _ids(capsys)


def test_what_must_move_is_listed_with_its_reason(capsys: Capture) -> None:
    """A rack too low for the fourth host: that one moves, and the lock says where from; the others stay."""
    _edit("(device,gpu-0[48],.*),planned", r"\1,installed", "small.lock", count=2)
    _edit("{type: rack-48u, hosts_per_rack: 4}", "{type: {name: low, u: 7, capacity: 900 kg, tare: 90 kg}}")
    status, out, _ = call(capsys, "cables", "small.yaml", "--json")
    found = json.loads(out)
    moves = {row["name"]: row for row in found["lock"]["changes"] if row["change"] == "moved"}
    assert set(moves) == {"gpu-04", "gpu-08"}
    assert (moves["gpu-04"]["old"], moves["gpu-04"]["reason"]) == ("r01 unit 7", "it has no room in r01 at that height")
    assert "lock-moved" in {row["id"] for row in found["findings"]}
    assert status == 0
    labels = {row["name"]: row for row in found["lock"]["changes"] if row["change"] == "relabelled"}
    assert set(labels) == {"C-gpu-04-1", "C-gpu-08-1"}
    assert labels["C-gpu-04-1"]["new"].startswith("r04-")
    assert labels["C-gpu-04-1"]["reason"] == "gpu-04 stands elsewhere"
    call(capsys, "cables", "small.yaml", "--lock", "-q")
    assert re.search(r"device,gpu-04,gpu#4,h,r04,\d,,,ordered\n", Path("small.lock").read_text())


def test_a_device_without_its_place_in_the_lock_is_placed_anew(capsys: Capture) -> None:
    before = _plan(capsys)
    _edit("(device,gpu-01,gpu#1,h),r01,1,", r"\1,,,", "small.lock")
    _edit("(device,gpu-02,gpu#2,h,r01),3,", r"\1,1,", "small.lock")
    after = _plan(capsys)
    assert (after["C-gpu-01-1"]["a_u"], after["C-gpu-02-1"]["a_u"]) == ("3", "1")
    assert after["C-gpu-01-1"]["label_a"] == before["C-gpu-02-1"]["label_a"].replace(":2", ":1")
    assert after["C-gpu-03-1"] == before["C-gpu-03-1"]


def test_a_hall_that_grows_apart_leaves_locked_cables_too_short(capsys: Capture) -> None:
    _edit("$(?![\r\n])", "hall: {pitch: {rack: 3 m}, trays: {above: 4 m}}\n")
    assert "lock-too-short" in _ids(capsys)


def test_templates_do_not_rename_what_is_locked(capsys: Capture) -> None:
    before = _plan(capsys)
    _edit("count: 8", "count: 9")
    _edit("$(?![\r\n])", "naming: {gpu: 'node{index:03d}'}\n")
    after = _plan(capsys)
    assert all(after[name] == row for name, row in before.items())
    assert "C-node009-1" in after
    assert "lock-names" in _ids(capsys)


def test_compare_shows_the_difference_of_two_locks(capsys: Capture) -> None:
    Path("old.lock").write_text(Path("small.lock").read_text())
    _edit("count: 8", "count: 9")
    call(capsys, "cables", "small.yaml", "--lock", "-q")
    _edit("(device,gpu-01,.*),,,planned", r"\1,,SN-1,ordered", "small.lock")
    status, out, err = call(capsys, "compare", "old.lock", "small.lock", "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert found["locks"] == ["old.lock", "small.lock"]
    assert found["counts"]["device"] == {"added": 2, "state": 1, "recorded": 1}  # a host, and the leaf that it needs
    recorded = next(row for row in found["changes"] if row["change"] == "recorded")
    assert (recorded["name"], recorded["new"], recorded["reason"]) == ("gpu-01", "SN-1", "serial")
    status, out, _ = call(capsys, "compare", "old.lock", "small.yaml")
    assert status == 0
    assert "gpu-09" in out


def test_compare_of_layouts_adds_that_of_their_locks(capsys: Capture) -> None:
    Path("other.yaml").write_text(LAYOUT.replace("name: small", "name: other").replace("count: 8", "count: 7"))
    call(capsys, "cables", "other.yaml", "--lock", "-q")
    _, out, _ = call(capsys, "compare", "small.yaml", "other.yaml", "--json")
    (locks,) = json.loads(out)["locks"]
    assert locks["counts"]["device"] == {"removed": 1}
    Path("other.lock").unlink()
    status, out, err = call(capsys, "compare", "small.lock", "other.yaml")
    assert (status, out) == (2, "")
    assert "has no lock beside it (other.lock)" in err


PANELS = "cabling: {avoid: [dac, acc, aec, aoc], panels: {trunk: 4, ports: 8}}\n"


@pytest.fixture
def patched(capsys: Capture) -> dict[str, str]:
    """Return the lines of panels, trunks and patches of a lock of eight hosts under panels, by their names."""
    Path("small.lock").unlink()
    Path("small.yaml").write_text(LAYOUT + PANELS)
    assert call(capsys, "cables", "small.yaml", "--lock", "-q") == (0, "", "")
    return _structured()


def _structured() -> dict[str, str]:
    lines = Path("small.lock").read_text().splitlines()
    words = ("panel,", "trunk,", "patch,")
    return {",".join(line.split(",")[:2]): line for line in lines if line.startswith(words)}


def _lock(capsys: Capture) -> dict[str, str]:
    assert call(capsys, "cables", "small.yaml", "--lock", "-q")[0] in (0, 1)
    return _structured()


def test_panels_and_trunks_are_pinned(capsys: Capture, patched: dict[str, str]) -> None:
    """Two racks of four hosts, one of the leaves: a panel of 8 in each, a trunk of 4 plugs from each to the leaves'."""
    assert [name for name in patched if "patch" not in name] == [
        "panel,r01-P1", "panel,r02-P1", "panel,r03-P1", "trunk,T-r01-r03-01", "trunk,T-r02-r03-01",
    ]  # fmt: skip
    assert patched["panel,r01-P1"] == "panel,r01-P1,r01,48,rear,8,planned"
    assert patched["trunk,T-r01-r03-01"].split(",")[2:6] == ["r01", "r03", "mmf", "MPO-12/APC"]
    _edit("count: 8", "count: 12")
    after = _lock(capsys)
    assert {name: after[name] for name in patched} == patched
    assert {"panel,r04-P1", "panel,r03-P2", "trunk,T-r03-r04-01"} <= set(after)


def test_other_panels_are_for_new_fibres_alone(capsys: Capture, patched: dict[str, str]) -> None:
    _edit("trunk: 4, ports: 8", "trunk: 12, ports: 48, mount: overhead")
    assert _lock(capsys) == patched
    _edit("count: 8", "count: 12")
    after = _lock(capsys)
    assert {name: after[name] for name in patched} == patched
    assert after["panel,r04-P1"] == "panel,r04-P1,r04,,rear,48,planned"
    assert ",12," in after["trunk,T-r03-r04-01"]


def test_what_is_gone_leaves_ports_but_no_names(capsys: Capture, patched: dict[str, str]) -> None:
    _edit("count: 8", "count: 4")
    after = _lock(capsys)
    assert after["trunk,T-r02-r03-01"].endswith(",removed")
    assert after["panel,r02-P1"].endswith(",removed")
    assert "patch,C-gpu-05-1" not in after
    _edit("count: 4", "count: 8")
    again = _lock(capsys)
    assert {"panel,r04-P1", "trunk,T-r03-r04-01"} <= set(again)
    assert again["patch,C-gpu-09-1"].split(",")[-3:-1] == patched["patch,C-gpu-05-1"].split(",")[-3:-1]


def test_a_device_does_not_take_the_unit_of_a_panel(capsys: Capture, patched: dict[str, str]) -> None:
    """Racks of four hosts and a panel of a unit hold no more hosts, whatever may stand in them."""
    _edit("u: 2, nics", "u: 47, nics")
    _, out, _ = call(capsys, "cables", "small.yaml", "--json")
    found = json.loads(out)
    hung = {row["panel"]: row["unit"] for row in found["panels"]["panels"]}
    assert hung["r01-P1"] == 48
    assert not [row for row in found["lock"]["changes"] if row["thing"] == "panel" and row["change"] == "moved"]


def test_what_people_say_of_panels_stays_and_shows(capsys: Capture, patched: dict[str, str]) -> None:
    Path("old.lock").write_text(Path("small.lock").read_text())
    _edit("(trunk,T-r01-r03-01,.*),,planned", r"\1,SN-3,installed", "small.lock")
    _edit("(panel,r01-P1,.*),planned", r"\1,ordered", "small.lock")
    _, out, _ = call(capsys, "compare", "old.lock", "small.lock", "--json")
    changes = {(row["thing"], row["change"], row["new"]) for row in json.loads(out)["changes"]}
    assert changes == {("trunk", "recorded", "SN-3"), ("trunk", "state", "installed"), ("panel", "state", "ordered")}
    _edit("count: 8", "count: 9")
    after = _lock(capsys)
    assert after["trunk,T-r01-r03-01"].endswith(",SN-3,installed")
    _edit(re.escape(PANELS), "")
    assert "lock-removed" in _ids(capsys)
    _, out, _ = call(capsys, "compare", "old.lock", "small.lock")
    assert " trunk " in out


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        ("\npanel,r02-P1,", "\npanel,r01-P1,", "the panel 'r01-P1' stands in line"),
        ("\npanel,r02-P1,r02,", "\npanel,r02-P1,r99,", "rack 'r99' of r02-P1 has no line"),
        ("\npanel,r02-P1,r02,", "\npanel,r02-P1,r01,", "a panel in 'r01 unit 48' stands in line"),
        ("(\npatch,C-gpu-02-1,1,r01-P1),[0-9]+,", r"\1,1,", "the port 'r01-P1:1' stands in line"),
        ("(\npatch,C-gpu-02-1,.*,T-r01-r03-01),[0-9]+,", r"\1,1,", "the plug 'T-r01-r03-01:1' stands in line"),
        ("(\npatch,C-gpu-02-1,.*,)T-r01-r03-01,", r"\1T-9,", "trunk is 'T-9', which the lock does not know"),
        ("(\ntrunk,T-r01-r03-01,.*,)4,", r"\1four,", "plugs is 'four'"),
    ],
)  # fmt: skip
def test_broken_panels_are_refused_with_their_place(
    capsys: Capture, patched: dict[str, str], pattern: str, text: str, said: str
) -> None:
    _edit(pattern, text, "small.lock")
    status, out, err = call(capsys, "show", "small.yaml")
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith("small.lock:")


def _committed() -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "locked"]):
        subprocess.run(["git", *words], check=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("path", ["small.lock", "small.yaml"])
def test_since_takes_the_lock_as_it_was(capsys: Capture, path: str) -> None:
    _committed()
    _edit("count: 8", "count: 9")
    call(capsys, "cables", "small.yaml", "--lock", "-q")
    status, out, err = call(capsys, "compare", path, "--since", "HEAD", "--json")
    found = json.loads(out)
    lock = found if path == "small.lock" else found["locks"][0]
    assert (status, err) == (0, "")
    assert lock["locks"] == ["HEAD:small.lock", "small.lock"]
    assert lock["counts"]["device"] == {"added": 2}  # a host, and the leaf that it needs
    status, _, err = call(capsys, "compare", path, "--since", "nowhere")
    assert (status, "is no revision" in err) == (2, True)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_since_before_there_was_a_lock_compares_layouts(capsys: Capture) -> None:
    Path("small.lock").rename("kept")
    _committed()
    Path("kept").rename("small.lock")
    _, out, _ = call(capsys, "compare", "small.yaml", "--since", "HEAD", "--json")
    assert json.loads(out)["locks"] == []


def _as_version_1(text: str) -> str:
    """Return a lock as it was written before it held steps and bundles: cables had no such columns."""
    lines = [line for line in text.splitlines() if not line.startswith(("phase,", "# phase,"))]
    lines[0] = lines[0].replace(",3,", ",1,")
    for at, line in enumerate(lines):
        if line.startswith("cable,"):
            fields = line.split(",")
            del fields[11:13]  # id, leg, device, port, device, port, medium, length, route, way, phase, bundle
            lines[at] = ",".join(fields)
    return "\n".join(lines) + "\n"


def test_a_lock_of_the_first_version_is_read_and_written_anew(capsys: Capture) -> None:
    now = Path("small.lock").read_text()
    before = _plan(capsys)
    assert before["C-gpu-01-1"]["phase"] == "compute"
    Path("small.lock").write_text(_as_version_1(now))
    assert _plan(capsys) == before
    _, out, _ = call(capsys, "cables", "small.yaml", "--json")
    assert json.loads(out)["lock"]["changes"] == []
    call(capsys, "cables", "small.yaml", "--lock", "-q")
    assert Path("small.lock").read_text() == now


def test_a_lock_of_the_second_version_has_no_bundles(capsys: Capture) -> None:
    now = Path("small.lock").read_text()
    before = _plan(capsys)
    lines = [",".join(cells[:12] + cells[13:]) if cells[0] == "cable" else ",".join(cells)
             for cells in (line.split(",") for line in now.splitlines())]  # fmt: skip
    lines[0] = lines[0].replace(",3,", ",2,")
    Path("small.lock").write_text("\n".join(lines) + "\n")
    assert _plan(capsys) == before
    call(capsys, "cables", "small.yaml", "--lock", "-q")
    assert Path("small.lock").read_text() == now


def test_locked_cables_stay_in_their_bundles(capsys: Capture) -> None:
    """A smaller size of bundles, or more hosts, leaves those that are laid as they are."""
    before = {name: row["bundle"] for name, row in _plan(capsys).items()}
    _edit("count: 8", "count: 9")
    layout = Path("small.yaml").read_text()
    Path("small.yaml").write_text(layout + "cabling: {bundle: 1}\n")
    after = {name: row["bundle"] for name, row in _plan(capsys).items()}
    assert {name: after[name] for name in before} == before
    new = [bundle for name, bundle in after.items() if name not in before]
    assert len(set(new)) == len(new)
    assert not set(new) & set(before.values())


def test_the_step_of_a_cable_is_what_the_lock_says(capsys: Capture) -> None:
    _edit("(\nphase,p[0-9]+),compute", r"\1,night of the 3rd", "small.lock")
    assert _plan(capsys)["C-gpu-01-1"]["phase"] == "night of the 3rd"
    _edit("count: 8", "count: 9")
    after = _plan(capsys)
    assert after["C-gpu-01-1"]["phase"] == "night of the 3rd"
    assert after["C-gpu-09-1"]["phase"] == "compute"
    Path("old.lock").write_text(Path("small.lock").read_text())
    _edit("night of the 3rd", "compute", "old.lock")
    _, out, _ = call(capsys, "compare", "old.lock", "small.lock", "--json")
    changes = json.loads(out)["changes"]
    assert {(row["change"], row["old"], row["new"]) for row in changes} == {("recorded", "compute", "night of the 3rd")}


def test_locks_that_are_alike_differ_in_nothing(capsys: Capture) -> None:
    status, out, err = call(capsys, "compare", "small.lock", "small.lock")
    assert (status, err) == (0, "")
    assert out == "small.lock against small.lock: no difference; 3 racks, 11 devices, 16 cables\n"
    _, out, _ = call(capsys, "compare", "small.lock", "small.lock", "--json")
    assert json.loads(out)["changes"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "broken.lock:1:1: does not start with"),
        ("name: small\n", "broken.lock:1:1: does not start with"),
        ("fabrictool-lock,3,small\ndevice,a\nend\n", "broken.lock:2:1: has 1 values after 'device'"),
        (None, "broken.lock:1:1: cannot be read: No such file"),
    ],
)
@pytest.mark.parametrize("command", ["compare", "show"])
def test_what_is_wrong_with_a_file_called_lock_is_said(
    capsys: Capture, content: str | None, said: str, command: str
) -> None:
    if content is not None:
        Path("broken.lock").write_text(content)
    words = ["broken.lock", "small.lock"] if command == "compare" else ["broken.lock"]
    status, out, err = call(capsys, command, *words)
    assert (status, out) == (2, "")
    if command == "compare":
        assert err.startswith(said)
    assert "broken.lock:" in err.splitlines()[0]
    assert "name: …" not in err


def test_show_and_export_bear_locked_names(capsys: Capture) -> None:
    text = Path("small.lock").read_text().replace(",gpu-08,", ",gpu-99,")
    Path("small.lock").write_text(text)
    _, out, _ = call(capsys, "export", "small.yaml", "--to", "edges")
    assert "gpu-99" in out
    assert "gpu-08" not in out


@pytest.mark.parametrize(
    ("pattern", "text", "where", "said"),
    [
        ("fabrictool-lock,3,", "fabrictool-lock,7,", 1, "version '7'"),
        ("fabrictool-lock,3,small", "fabrictool-lock,3,large", 1, "is the lock of the layout 'large'"),
        ("fabrictool-lock,3,small", "layout,small", 1, "does not start with"),
        ("\nend\n", "\n", -1, "is cut"),
        ("\ndevice,gpu-02,", "\n<<<<<<< ours\ndevice,gpu-02,", None, "merge conflict"),
        ("\ndevice,gpu-02,.*", "\ndevice,gpu-02,gpu#2", None, "has 2 values after 'device', 8 are due"),
        ("\ndevice,gpu-02,gpu#2", "\ndevice,gpu-01,gpu#2", None, "the device 'gpu-01' stands in line"),
        ("\ndevice,gpu-02,gpu#2", "\ndevice,gpu-02,gpu#1", None, "the place 'gpu#1' stands in line"),
        ("\ncable,C-gpu-02-1,", "\ncable,C-gpu-01-1,", None, "leg 1 of the cable 'C-gpu-01-1' stands in line"),
        ("(\ncable,C-gpu-02-1,1),gpu-02,1,", r"\1,gpu-01,1,", None, "the port gpu-01:1 stands in line"),
        ("(\ncable,C-gpu-02-1,1),gpu-02,1,", r"\1,gpu-77,1,", None, "device a is 'gpu-77', which the lock does not"),
        ("(\ndevice,gpu-02,gpu#2,h),r01,", r"\1,r77,", None, "rack 'r77' of gpu-02 has no line"),
        ("(\ndevice,gpu-02,gpu#2,h,r01),3,", r"\1,three,", None, "unit is 'three'"),
        ("(\ndevice,gpu-02,.*),planned", r"\1,built", None, "state is 'built'"),
        ("(\ndevice,gpu-02,.*),,,planned", r"\1,12,,planned", None, "GUID '12' of gpu-02"),
        ("(\ncable,C-gpu-02-1,.*,m1),[^,]*,", r"\1,long,", None, "length [m] is 'long'"),
        ("\nrack,r02,", "\nshelf,r02,", None, "starts with 'shelf'"),
    ],
)  # fmt: skip
def test_a_broken_lock_is_refused_with_its_place(
    capsys: Capture, pattern: str, text: str, where: int | None, said: str
) -> None:
    whole = Path("small.lock").read_text()
    _edit(pattern, text, "small.lock")
    broken = Path("small.lock").read_text()
    status, out, err = call(capsys, "cables", "small.yaml", "--lock")
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    lines = broken.splitlines()
    at = len(lines) if where == -1 else where
    if at is None:
        at = next(i for i, (a, b) in enumerate(zip(whole.splitlines(), lines, strict=False), 1) if a != b)
    assert any(line.startswith(f"small.lock:{at}:1: ") for line in err.splitlines())
    assert all(";" in line for line in err.splitlines())  # each with a way out
    assert Path("small.lock").read_text() == broken


def test_all_that_is_wrong_is_said_at_once(capsys: Capture) -> None:
    _edit(",planned\n", ",built\n", "small.lock", count=3)
    _, _, err = call(capsys, "show", "small.yaml")
    assert len(err.splitlines()) == 3


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"fabrictool-lock,3,small\n", b"\n\n"])
def test_what_is_no_lock_is_refused(capsys: Capture, content: bytes) -> None:
    Path("small.lock").write_bytes(content)
    status, out, err = call(capsys, "show", "small.yaml")
    assert (status, out) == (2, "")
    assert err.startswith("small.lock:1:1: ")


def test_a_lock_is_no_layout_and_a_fabric_has_none(capsys: Capture) -> None:
    status, _, err = call(capsys, "show", "small.lock")
    assert (status, "is a lock, not a layout" in err) == (2, True)
    call(capsys, "export", "small.yaml", "--to", "edges", "-o", "edges.csv")
    status, _, err = call(capsys, "cables", "edges.csv", "--lock")
    assert (status, "has no lock" in err) == (2, True)
    status, _, err = call(capsys, "cables", "-", "--lock")
    assert status == 2
