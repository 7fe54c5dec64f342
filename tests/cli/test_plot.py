"""``fabrictool plot``: files written or refused."""

import json
from pathlib import Path

import pytest

from fabrictool.cli.main import main

LAYOUT = """
name: small
hosts: {name: h, type: {name: h, gpus: 1, nics: 1, speed: 400G}, count: 8}
networks: {compute: {family: fat-tree, hosts_per_leaf: 4, leaf: {type: {name: s, ports: 8, speed: 400G}}}}
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(LAYOUT)
    return tmp_path


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(["plot", *arguments])
    return stop.value.code


def files():
    return sorted(path.name for path in Path().iterdir())


def test_the_default_name_is_layout_and_figure(capfd):
    assert run("small.yaml") == 0
    assert files() == ["small-busbw.png", "small.yaml"]
    assert Path("small-busbw.png").read_bytes().startswith(b"\x89PNG")
    out, err = capfd.readouterr()
    assert out == ""
    assert "wrote small-busbw.png" in err


def test_json_gives_the_curves_and_the_file(capfd):
    assert run("small.yaml", "--json", "-o", "a.svg", "--collective", "all-gather", "--ranks", "4") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["file"] == "a.svg"
    assert [(c["collective"], c["ranks"], c["nbytes"][0]) for c in document["curves"]] == [("all-gather", 4, 8)]
    assert Path("a.svg").read_text().startswith("<?xml")


def test_load_writes_its_figure_and_loads(capfd):
    assert run("small.yaml", "--what", "load", "--pattern", "shift:4", "--fail-devices", "spine-01", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["file"] == "small-load.png"
    down = [row for row in document["loads"] if row["z"].startswith("spine-01")]
    assert all(row["forward"] == row["reverse"] == 0 for row in down)
    assert Path("small-load.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("option", [["--routing", "spray"], ["--pattern", "shift:1"], ["--fail-links", "1"]])
def test_options_of_loads_go_with_loads(option, capfd):
    assert run("small.yaml", *option) == 2
    assert f"{option[0]} goes with --what load" in capfd.readouterr().err
    assert files() == ["small.yaml"]


def test_several_pages_make_numbered_images_or_one_document(capfd):
    racks = "racks: {type: {name: r, u: 4, tare: 50 kg, capacity: 900 kg}}\n"
    Path("small.yaml").write_text(LAYOUT + racks)
    assert run("small.yaml", "--what", "elevation", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["files"] == ["small-elevation.png", "small-elevation-2.png"]
    assert document["file"] == document["files"][0]
    assert [row["racks"] for row in document["racks"]][:2] == [["r01"], ["r02"]]
    assert [row["device"] for row in document["devices"]] == ["leaf-01", "spine-01"]
    assert run("small.yaml", "--what", "elevation", "-o", "a.pdf") == 0
    assert files() == ["a.pdf", "small-elevation-2.png", "small-elevation.png", "small.yaml"]


def test_ports_of_a_device_need_no_racks(capfd):
    assert run("small.yaml", "--what", "elevation", "--device", "leaf-02", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["racks"] == []
    assert [port["peer"] for cage in document["devices"][0]["cages"] for port in cage["ports"]][:4] == [
        "h-05", "h-06", "h-07", "h-08"]  # fmt: skip


def test_topology_writes_its_figure_and_counts(capfd):
    assert run("small.yaml", "--what", "topology", "--network", "compute", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["file"] == "small-topology.png"
    (network,) = document["networks"]
    assert [box["kind"] for box in network["boxes"]].count("host") == 8
    assert Path("small-topology.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--what", "topology", "--ranks", "4"], "--ranks goes with --what busbw"),
        (["--what", "topology", "--collective", "all-reduce"], "--collective goes with --what busbw"),
        (["--network", "compute"], "--network goes with --what topology"),
        (["--what", "topology", "--network", "none"], "there is no network 'none'"),
    ],
)
def test_options_of_the_other_figure_are_refused(arguments, message, capfd):
    assert run("small.yaml", *arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert files() == ["small.yaml"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--what", "weather"], "figure 'weather' is not supported yet; use --what busbw, topology"),
        (["--what", "power"], "the layout has no racks to draw"),
        (["--what", "floor"], "the layout has no racks to draw"),
        (["--by", "share"], "--by goes with --what floor"),
        (["--what", "elevation"], "the layout has no racks to draw; add racks"),
        (["--what", "elevation", "--device", "leaf-9"], "there is no device 'leaf-9'; did you mean"),
        (["--what", "elevation", "--network", "compute"], "--network goes with --what topology"),
        (["--rack", "r01"], "--rack goes with --what elevation"),
        (["-o", "a.gif"], "a.gif: '.gif' is no image format known here; let the name end in .png, .svg, .pdf"),
        (["-o", "nowhere/a.png"], "nowhere/a.png: cannot be written: No such file or directory; choose another place"),
        (["-o", "small.yaml/a.png"], "small.yaml/a.png: cannot be written: Not a directory"),
        (["--collective", "all-redcue"], "collective 'all-redcue' is not supported yet"),
        (["--collective", "all-to-all", "--algorithm", "ring"], "use one of pairwise"),
        (["--ranks", "9"], "there are 8 GPUs"),
        (["--ranks", "0"], "0 is not 1 or more"),
        (["--model", "nccl"], "host type 'h' has no 'gpu'"),
    ],
)
def test_what_cannot_be_drawn_ends_with_2_and_writes_nothing(arguments, message, capfd):
    assert run("small.yaml", *arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert files() == ["small.yaml"]


def test_an_older_file_stays_whole_when_drawing_fails(capfd):
    Path("a.png").write_bytes(b"old")
    assert run("small.yaml", "-o", "a.png", "--model", "nccl") == 2
    assert Path("a.png").read_bytes() == b"old"
