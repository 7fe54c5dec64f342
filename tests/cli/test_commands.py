"""Every command: help at once, few imports, schema, catalogue, pipes that break."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest
import yaml
from commands import PROGRAM, call, run

from fabrictool.cli.common import write_file
from fabrictool.cli.main import COMMANDS
from fabrictool.errors import InputError

TOPOLOGIES = sorted((Path(__file__).parents[2] / "topologies").glob("*.yaml"))
HEAVY = ("numba", "networkx", "igraph", "matplotlib", "scipy", "pydantic", "rich")


@pytest.mark.parametrize("command", [name for name in COMMANDS if find_spec(f"fabrictool.cli.{name}")])
def test_help_of_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: fabrictool {command}")
    assert call(capsys, command, "-h")[1] == out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "--help")
    assert status == 0
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize(
    "statement",
    [
        "import fabrictool",
        "from fabrictool.cli.main import main; main(['--help'])",
        "from fabrictool.cli.main import main; main(['score', '--help'])",
        "from fabrictool.cli.main import main; main(['--version'])",
        "from fabrictool.cli.main import main; main(['score', 'no-such-file.yaml'])",
    ],
)
def test_heavy_libraries_are_imported_only_where_used(statement: str) -> None:
    program = f"""
import sys
try:
    {statement}
except SystemExit:
    pass
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    expected = "['pydantic']" if "no-such-file" in statement else "[]"
    assert done.stderr.splitlines()[-1] in ("[]", expected)


def test_scoring_a_small_layout_needs_no_compiler(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(
        "name: s\nhosts: {type: {name: h, gpus: 1, nics: 1, speed: 400G}, count: 8}\nnetworks: {c: {family: fat-tree, "
        "hosts_per_leaf: 4, leaf: {type: {name: w, ports: 8, speed: 400G}}}}\n"
    )
    program = f"""
import sys
from fabrictool.cli.main import main
try:
    main(['score', {str(path)!r}, '-q'])
except SystemExit as stop:
    print(stop.code, [name for name in ('numba', 'networkx', 'igraph', 'matplotlib', 'scipy') if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0 []\n"


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    from fabrictool import __version__

    assert call(capsys, "--version")[1] == f"fabrictool, version {__version__}\n"


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "scroe")
    assert (status, out) == (2, "")
    assert "no such command 'scroe'; did you mean 'score'?" in err


def test_the_schema_takes_every_shipped_layout(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "schema")
    assert status == 0
    schema = json.loads(out)
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    assert TOPOLOGIES
    for path in TOPOLOGIES:
        checker(schema).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3},
        {"hosts": []},
        {"hosts": {"type": "dgx-h100", "count": 0}},
        {"colour": "red"},
        {"networks": {"c": {"family": "tree"}}},
        {"networks": {"c": {"family": "fat-tree", "speed": 400}}},
        {"networks": {"c": {"family": "fat-tree", "hosts_per_leef": 3}}},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(
    change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads(call(capsys, "schema")[1])
    good = {"name": "x", "hosts": {"type": "dgx-h100", "count": 2}}
    jsonschema.validate(good, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good | change, schema)


def test_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "catalogue", "--json")
    assert status == 0
    tables = json.loads(out)
    assert {"switches", "hosts"} <= set(tables)
    assert any(row["name"] == "qm9700" for row in tables["switches"])
    _, out, _ = call(capsys, "catalogue", "qm9700")
    assert "64" in out
    assert "400" in out
    status, out, err = call(capsys, "catalogue", "qm970")
    assert (status, out) == (2, "")
    assert "did you mean 'qm97" in err


@pytest.mark.parametrize("arguments", [["catalogue"], ["schema"], ["score", str(TOPOLOGIES[0]), "--json"]])
def test_a_broken_pipe_ends_quietly(arguments: list[str]) -> None:
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        status = process.wait(timeout=60)
    assert b"Traceback" not in err
    assert b"Exception" not in err
    assert status in (0, 141)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this machine")
    with full.open("wb") as stream:
        done = subprocess.run([*PROGRAM, "schema"], stdout=stream, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 2
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_standard_input_of_a_layout() -> None:
    done = run("score", "-", "-q", content=b"name: x\nhosts: {type: dgx-h100, count: 2}\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_pipe_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    # a pipe stands for whatever is no file: as root a rename would put a file in the place of /dev/null
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_file(str(pipe), b"tables")
    assert os.read(reader, 100) == b"tables"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_link_stays_a_link_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "today").symlink_to("tables")
    for content in (b"first", b"second"):
        write_file(str(tmp_path / "today"), content)
        assert (tmp_path / "tables").read_bytes() == content
    assert (tmp_path / "today").is_symlink()


@pytest.mark.parametrize(
    ("name", "says"), [("", "-o: cannot be written"), (".", "Is a directory"), ("no/x", "No such")]
)
def test_a_place_that_cannot_be_written_is_named(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        write_file(str(tmp_path / name) if name else "", b"tables")
    assert list(tmp_path.iterdir()) == []
