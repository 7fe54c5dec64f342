"""``export`` and ``import`` as users type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import call, run

LAYOUT = str(Path(__file__).parents[2] / "topologies" / "dgx-superpod-h100-1su.yaml")
FORMS = ["edges", "graphml", "gexf", "node-link", "npz", "dot", "containerlab", "ibnetdiscover", "ibutils-topo"]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_exported_is_a_layout_for_show(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "out")
    assert call(capsys, "export", LAYOUT, "--to", form, "-o", target, "-q") == (0, "", "")
    status, shown, _ = call(capsys, "show", target, "--json")
    found = json.loads(shown)["counts"]
    assert (status, found["switches"], found["links"]) == (0, 12, 508)


def test_slurm_s_units_are_those_of_the_superpod(capsys: pytest.CaptureFixture[str]) -> None:
    _, printed, _ = call(capsys, "export", LAYOUT, "--to", "slurm")
    assert printed.split("\n")[2] == "SwitchName=tier1-1 Nodes=dgx-[01-31]"


def test_port_names_are_the_vendor_s_or_what_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    _, printed, _ = call(capsys, "export", LAYOUT, "--to", "ptm")
    assert '"dgx-01":"mlx5_0" -- "leaf-01":"IB1/1/1"' in printed
    _, printed, _ = call(capsys, "export", LAYOUT, "--to", "ptm", "--port-names", "cumulus")
    assert '"leaf-01":"swp1s0"' in printed


def test_definitions_of_ibutils_lie_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "export", LAYOUT, "--to", "topo", "-o", str(tmp_path / "a.topo"))
    assert (tmp_path / "ibnl" / "qm9700-64p.ibnl").read_text().startswith("TOPSYSTEM qm9700-64p\n")


def test_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    status, printed, _ = call(capsys, "export", "--list")
    assert status == 0
    assert [line.split()[0] for line in printed.splitlines()][: len(FORMS) - 2] == FORMS[:-2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "visio"), "there is no format 'visio'"),
        (("--to", "gefx"), "did you mean 'gexf'"),
        (("--to", "dot", "--network", "computer"), "did you mean 'compute'"),
        (("--to", "dot", "--port-names", "sonik"), "did you mean 'sonic'"),
        (("--to", "edges", "--port-names", "sonic"), "has no part in this format"),
        ((), "--to"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, printed, error = call(capsys, "export", LAYOUT, *arguments)
    assert (status, printed) == (2, "")
    assert said in error


def test_an_existing_file_is_whole_before_and_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "kept"
    target.write_text("kept")
    status, _, _ = call(capsys, "export", LAYOUT, "--to", "dot", "--port-names", "sonik", "-o", str(target))
    assert (status, target.read_text()) == (2, "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_an_import_is_a_layout_that_can_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "export", LAYOUT, "--to", "ibnetdiscover", "-o", str(tmp_path / "net"))
    made = str(tmp_path / "made.yaml")
    status, _, _ = call(capsys, "import", str(tmp_path / "net"), "--to", "layout", "-o", made)
    assert status == 0
    _, shown, _ = call(capsys, "show", made, "--json")
    assert json.loads(shown)["counts"]["links"] == 508


def test_an_import_names_its_format_and_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.conf").write_text("SwitchName=a Nodes=n[1-2\nSwitchName=t Switches=a\n")
    out = str(tmp_path / "edges.csv")
    status, printed, error = call(capsys, "import", str(tmp_path / "bad.conf"), "-o", out)
    assert (status, printed) == (1, "")
    assert "bad.conf:1: hostlist: 'n[1-2' has a bracket that is not closed" in error
    status, printed, _ = call(capsys, "import", "--from", "slurm", str(tmp_path / "bad.conf"), "--json", "-o", out)
    assert json.loads(printed)["source_format"] == "slurm"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("graph G { a:1 -- b:1", "cut"),
        ('graph G {\n "a:1 -- b:1 }', "2:2:"),
        ("topology:\n  nodes: {a: {kind: [}}\n", "no YAML"),
        ('{"directed": false, "multigraph": true, "nodes": [', "no whole JSON"),
        ("hello\n", "--from"),
    ],
)
def test_broken_files_name_the_place(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad").write_text(content)
    status, printed, error = call(capsys, "import", str(tmp_path / "bad"))
    assert (status, printed) == (2, "")
    assert said in error
    assert f"{tmp_path / 'bad'}:" in error


def test_standard_streams_take_and_give(tmp_path: Path) -> None:
    first = run("export", LAYOUT, "--to", "node-link")
    back = run("export", "-", "--to", "node-link", content=first.stdout)
    assert (first.returncode, back.returncode) == (0, 0)
    assert json.loads(back.stdout)["links"] == json.loads(first.stdout)["links"]


def test_a_platform_has_a_route_for_each_pair_of_gpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = str(Path(LAYOUT).with_name("ft64.yaml"))
    target = tmp_path / "platform.xml"
    assert call(capsys, "export", layout, "--to", "simgrid", "--routing", "min-hop", "-o", str(target))[0] == 0
    assert target.read_text().count("<route ") == 64 * 63
    status, _, error = call(capsys, "export", layout, "--to", "dot", "--routing", "min-hop")
    assert (status, "--routing has no part in dot" in error) == (2, True)


def test_a_folder_for_netbox_needs_a_place_and_is_a_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, error = call(capsys, "export", LAYOUT, "--to", "netbox")
    assert (status, "name it with -o" in error) == (2, True)
    target = str(tmp_path / "nb")
    assert call(capsys, "export", LAYOUT, "--to", "netbox", "-o", target)[0] == 0
    assert len(list((tmp_path / "nb").iterdir())) == 9
    _, shown, _ = call(capsys, "show", target, "--json")
    assert json.loads(shown)["counts"]["links"] == 508
    status, edges, _ = call(capsys, "import", target)
    assert (status, edges.count("\n")) == (0, 1 + 508)
    empty = tmp_path / "empty"
    empty.mkdir()
    status, out, error = call(capsys, "import", str(empty))
    assert (status, out) == (2, "")
    assert "is a folder without cables.csv" in error
