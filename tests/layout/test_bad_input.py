"""Whatever a file holds: exit status 2, every error at its place with the way out, and nothing else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fabrictool.cli.main import main

GOOD = """\
name: good
hosts:
  - {name: gpu, type: {name: h1, gpus: 1, nics: 1, speed: 400G, power_max: 1 kW, u: 1}, count: 16}
networks:
  compute:
    family: fat-tree
    hosts_per_leaf: 4
    leaf: {type: {name: sw8, ports: 8, speed: 400G, power_max: 100 W, u: 1}}
racks: {type: rack-48u}
"""


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Score some content; return the lines on stderr after ``file:``, once all else is as it must be."""

    def run(content: str | bytes, *options: str) -> list[str]:
        path = tmp_path / "layout.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(SystemExit) as stop:
            main(["score", str(path), *options])
        printed = capsys.readouterr()
        assert stop.value.code == 2, printed
        assert printed.out == ""
        assert "Traceback" not in printed.err
        assert [entry.name for entry in tmp_path.iterdir()] == ["layout.yaml"]
        lines = printed.err.splitlines()
        assert lines
        for line in lines:
            assert line.startswith(f"{path}:"), line
            assert "; " in line, f"no way out: {line}"
        return [line.removeprefix(f"{path}:") for line in lines]

    return run


def _with(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def test_the_good_file_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "layout.yaml"
    for content in (
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
    ):
        path.write_bytes(content)
        with pytest.raises(SystemExit) as stop:
            main(["score", str(path), "-q"])
        assert stop.value.code == 0, capsys.readouterr()


def _deep(levels: int) -> str:
    return "\n".join(" " * level + "a:" for level in range(levels))


BOMB = "a0: &a0 [1, 2]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))

FILES = {
    "empty": (b"", "1:1: is empty"),
    "blank": (b"\n  \n", "1:1: is empty"),
    "a comment": (b"# nothing\n", "1:1: is empty"),
    "cut in a mapping": (GOOD[:60], "3:43: is not valid YAML"),
    "cut in a key": (GOOD[: GOOD.index("hosts_per_leaf") + 7], "7:12: is not valid YAML"),
    "binary": (bytes(range(256)), "1:1: is a binary file"),
    "image": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "3:1: is a binary file"),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "1:1: its compression ends early"),
    "latin-1": (_with("rack-48u", "rack-48u # für alle").encode("latin-1"), "9:27: byte 0xfc is not UTF-8 text; save"),
    "latin-1, after wide letters": ("name: a # äöü ".encode() + b"\xfc", "1:15: byte 0xfc is not UTF-8 text"),
    "UTF-16, cut": (GOOD.encode("utf-16")[:51], "3:7: byte 0x61 is not UTF-16 text"),
    "UTF-16 without its mark": (GOOD.encode("utf-16-le"), "1:1: is a binary file"),
    "control character": (_with("rack-48u", "rack\x07-48u"), "9:19: character 0x07 is not text; remove it"),
    "half a surrogate": (_with("rack-48u", '"\\ud800"'), "9:18: is not valid YAML"),
    "deep blocks": (_deep(200), "33:33: is nested more than 32 levels deep"),
    "deep lists": ("a: " + "[" * 900, "1:35: is nested more than 32 levels deep"),
    "very deep lists": ("a: " + "[" * 100_000, "1:1003: is not valid YAML"),
    "alias bomb": (BOMB, "6:40: holds more than 200000 values once aliases are expanded"),
    "alias of itself": (_with("family: fat-tree", "family: &f [*f]"), "6:17: '*f' stands inside what it names"),
    "alias of nothing": (_with("fat-tree", "*tree"), "6:13: is not valid YAML: found undefined alias"),
    "many values": ("a: [" + "1," * 210_000 + "]", "1:399995: holds more than 200000 values"),
    "python object": (_with("fat-tree", '!!python/object/apply:os.system ["true"]'), "6:13: has the tag"),
    "python name": (_with("fat-tree", "!!python/name:os.system"), "6:13: has the tag"),
    "tag of its own": (_with("fat-tree", "!tree x"), "6:13: has the tag '!tree'; write plain values"),
    "key twice": (GOOD + "name: again\n", "10:1: key 'name' stands twice; remove one"),
    "key twice, in a flow": (_with("ports: 8,", "ports: 8, ports: 8,"), "8:40: key 'ports' stands twice"),
    "merge of a scalar": (_with("family: fat-tree", "<<: 3"), "5:3: "),
    "a list": ("- a\n", "1:1: is a list, not a layout; a layout starts with 'name: …'"),
    "a word": ("hello\n", "1:1: is a single value, not a layout"),
    "two documents": (GOOD + "---\nname: b\n", "10:1: is not valid YAML: but found another document"),
    "tabs": (_with("    family", "\tfamily"), "6:1: is not valid YAML"),
    "open quote": (_with("name: good", 'name: "good'), "10:1: is not valid YAML"),
    "a key that is a list": (_with("racks:", "? [a, b]\n: 1\nracks:"), "9:3: a key is not a plain word"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_layout(name: str, refused) -> None:  # type: ignore[no-untyped-def]
    content, expected = FILES[name]
    first = refused(content)[0]
    if name == "merge of a scalar":
        assert first.startswith("6:9: '<<' takes mappings")
        return
    assert first.startswith(expected)


SPEED = "speed: 400G, power_max: 1 kW"
WHOLE = "is not a whole number; write one, such as 4"
NUMBER = "is not a number; write one, such as 1.5"
VALUES = [
    # what is replaced, by what, and what is said: at the place of the new words unless others are named
    ("count: 16", "count: -1", "count: -1; it must be at least 1"),
    ("count: 16", "count: 0", "count: 0; it must be at least 1"),
    ("count: 16", "count: 1.5", f"count: 1.5 {WHOLE}"),
    ("ports: 8", "managed: perhaps, ports: 8", "managed: 'perhaps' is not true or false; write true or false"),
    ("count: 16", "count: .nan", f"count: nan {WHOLE}"),
    ("count: 16", "count: .inf", f"count: inf {WHOLE}"),
    ("count: 16", "count: 1e30", f"count: '1e30' {WHOLE}"),
    ("count: 16", "count: 1" + "0" * 30, f"count: 1{'0' * 30}; it must be at most 10000000"),
    ("count: 16", "count: yes", f"count: True {WHOLE}"),
    ("count: 16", "count: 1:30", f"count: '1:30' {WHOLE}"),
    ("count: 16", "count: null", f"count: nothing {WHOLE}"),
    ("count: 16", "count: " + "9" * 5000, f"3:96: '{'9' * 40}' cannot be read as a value; put it in quotes"),
    (SPEED, "speed: 400", "speed: '400' has no unit; a speed is written like '400G'"),
    (SPEED, "speed: 400 GB", "speed: '400 GB' is a size, not a speed; write it like '400G'"),
    (SPEED, "speed: .nan", "speed: 'nan' has no unit; a speed is written like '400G'"),
    (SPEED, "speed: -400G", "speed: '-400G' is out of range for a speed; accepted are 1000 to 1e+16 bit/s"),
    (SPEED, "speed: 0G", "speed: '0G' is out of range for a speed; accepted are 1000 to 1e+16 bit/s"),
    (SPEED, "speed: 1e30G", "speed: '1e30G' is out of range for a speed; accepted are 1000 to 1e+16 bit/s"),
    (SPEED, "speed: [400G]", "speed: '['400G']' is not a speed; write it like '400G'"),
    ("power_max: 1 kW", "power_max: 1 kVA", "power_max: '1 kVA' is an apparent power, not a power; write it like"),
    ("power_max: 1 kW", "power_max: 400 G", "power_max: '400 G' is a speed, not a power; write it like '40.8 kW'"),
    ("power_max: 1 kW", "power_max: 1e999 W", "power_max: '1e999 W' is out of range for a power; accepted are"),
    ("hosts_per_leaf: 4", "oversubscription: 0", "oversubscription[0]: 0; it must be more than 0"),
    ("hosts_per_leaf: 4", "oversubscription: -2", "oversubscription[0]: -2; it must be more than 0"),
    ("hosts_per_leaf: 4", "oversubscription: .nan", "oversubscription[0]: nan is not a finite number; write one"),
    ("hosts_per_leaf: 4", "oversubscription: true", f"oversubscription[0]: true {NUMBER}"),
    ("hosts_per_leaf: 4", "oversubscription: two", f"oversubscription[0]: 'two' {NUMBER}"),
    ("hosts_per_leaf: 4", "oversubscription:\n      - 1\n      - .inf", "9:9: oversubscription[1]: inf is not"),
    ("hosts_per_leaf: 4", "hosts_per_leef: 4", "unknown key 'hosts_per_leef'; did you mean 'hosts_per_leaf'?"),
    ("hosts_per_leaf: 4", "4: 4", "unknown key '4'; known are attach, cables"),
    ("hosts_per_leaf: 4", "pgft: {m: [4, 4], w: [1], p: [1, 1]}", "pgft: m, w and p have 2, 1 and 2 numbers; "),
    ("family: fat-tree", "family: fat-trea", "family: 'fat-trea' is not known; did you mean 'fat-tree'?"),
    ("name: good", "name: a good one", "name: 'a good one' has characters or a form that are not allowed; it must"),
    ("name: good", "name: 3", "name: 3 is not text; put it in quotes"),
    ("name: good", "name: ''", "name: '' is too short; at least 1 entry is needed"),
    ("name: good", "name: " + "x" * 100, f"name: '{'x' * 58}… is too long; at most 64 are allowed"),
    ("name: good", "nom: good", "key 'name' is missing; add 'name: …' to the layout"),
    ("rack-48u", "rack-49u", "9:9: type: the catalogue has no rack type 'rack-49u'; did you mean 'rack-48u'?"),
    ("racks: {type: rack-48u}", "racks: []", "racks: []; at least 1 entry is needed"),
    ("racks: {type: rack-48u}", "racks: 5", "racks: 5 is not a list; write '[…]' or lines that start with '- '"),
    ("networks:", "networks: 4\nother:", "networks: 4 is not a mapping of keys to values; write '{key: value}'"),
    # what only shows when the fabric is built
    ("hosts_per_leaf: 4", "hosts_per_leaf: 5", "8:5: a leaf needs 10 ports for 5 links down and 5 up, but sw8 has 8"),
    ("count: 16", "count: 1", "5:3: network compute attaches 1 host; a network joins at least two"),
    ("W, u: 1}}", "W, u: 1}, up: 0}", "8:5: the leaf has no uplinks, so its hosts reach nobody else; give up"),
    ("leaf: {type:", "spine: {type:", "5:3: the leaf's type is not given; add 'leaf: {type: …}'"),
    ("hosts_per_leaf: 4", "rails: 4", "a fat-tree network takes no 'rails'; remove it"),
    ("ports: 8, speed: 400G", "ports: 8, speed: 200G", "8:5: a leaf port of 400G does not fit sw8, whose"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), VALUES, ids=[row[1][:40] for row in VALUES])
def test_values_that_make_no_sense(old: str, new: str, said: str, refused) -> None:  # type: ignore[no-untyped-def]
    text = _with(old, new)
    before = text[: text.index(new)]
    place = "" if said[0].isdigit() else f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "
    lines = refused(text)
    assert any(line.startswith(place + said) for line in lines), lines


def test_unknown_types_name_the_nearest(refused) -> None:  # type: ignore[no-untyped-def]
    start, end = GOOD.index("type: {name: h1"), GOOD.index(", count: 16")
    (line,) = refused(GOOD[:start] + "type: dgx-h10" + GOOD[end:])
    assert line.startswith("3:17: type: the catalogue has no host type 'dgx-h10'; did you mean 'dgx-h100'?")


def test_all_errors_of_a_file_come_at_once_in_order(refused) -> None:  # type: ignore[no-untyped-def]
    text = GOOD
    for old, new in (
        ("speed: 400G, power_max: 1 kW", "speed: 400, power_max: 1 V"),
        ("count: 16", "count: 0"),
        ("family: fat-tree", "family: fattree"),
        ("hosts_per_leaf", "host_per_leaf"),
        ("ports: 8", "ports: 8.5"),
        ("racks: ", "rakcs: "),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    lines = refused(text)
    assert [line.split(": ")[0] for line in lines] == ["3:52", "3:64", "3:87", "6:5", "7:5", "8:30", "9:1"]


def test_errors_of_several_networks_come_at_once(refused) -> None:  # type: ignore[no-untyped-def]
    second = GOOD[GOOD.index("    family") : GOOD.index("racks")].replace("hosts_per_leaf: 4", "k: 3")
    text = _with("hosts_per_leaf: 4", "hosts_per_leaf: 5").replace("racks:", f"  other:\n{second}racks:")
    lines = refused(text)
    assert [line.split(": ")[0] for line in lines] == ["8:5", "9:3", "11:5"]


def test_a_port_belongs_to_one_network(refused) -> None:  # type: ignore[no-untyped-def]
    attach = "    attach: [{hosts: gpu}, {hosts: gpu, ports: [0]}]\n"
    lines = refused(_with("    hosts_per_leaf: 4\n", f"    hosts_per_leaf: 4\n{attach}"))
    assert lines[0].startswith("8:5: a host port is attached twice; ")
    second = GOOD[GOOD.index("    family") : GOOD.index("racks")]
    (line,) = refused(GOOD.replace("racks:", f"  other:\n{second}racks:"))
    assert line.startswith("9:3: 16 host ports are attached to network compute already; attach other ports")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("count: 16", "count: 9999999", "3:89: 9,999,999 hosts have 9,999,999 ports or GPUs, more than the 4,000,000"),
        ("nics: 1", "nics: 5000", "count: 5000; it must be at most 4000"),
        ("gpus: 1", "gpus: 99999", "3:34: gpus: 99999; it must be at most 4000"),
        ("ports: 8", "ports: 100000", "8:30: ports: 100000; it must be at most 4000"),
        (
            "hosts_per_leaf: 4",
            "hosts_per_leaf: 4\n    speed: 1k",
            "8:5: a port of 400G would be broken out to 400000000",
        ),
    ],
)
def test_numbers_that_no_device_has(old: str, new: str, said: str, refused) -> None:  # type: ignore[no-untyped-def]
    assert any(said in line for line in refused(_with(old, new)))


def test_a_merged_mapping_keeps_the_places_of_its_keys(refused) -> None:  # type: ignore[no-untyped-def]
    text = _with("    family: fat-tree\n", "    family: fat-tree\n    <<: {hosts_per_leef: 4, family: nothing}\n")
    (line,) = refused(text)
    assert line.startswith("7:10: unknown key 'hosts_per_leef'")


def test_a_hundred_megabytes_are_not_even_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(100 * 2**20)
    with pytest.raises(SystemExit) as stop:
        main(["score", str(path)])
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{path}:1:1: is larger than 4 MiB, too large for a layout; ")
    assert printed.out == ""


@pytest.mark.parametrize("command", ["score"])
def test_places_that_hold_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD)
    for path, words in (
        (tmp_path, "is a folder without cables.csv; name a layout"),
        (tmp_path / "mime.yaml", f"no such file; did you mean '{tmp_path / 'mine.yaml'}'?"),
        (tmp_path / "no" / "x.yaml", "no such file; "),
        (tmp_path / "mine.yaml" / "x", "cannot be read: Not a directory; "),
        (tmp_path / ("x" * 300), "cannot be read: File name too long; "),
    ):
        with pytest.raises(SystemExit) as stop:
            main([command, str(path)])
        printed = capsys.readouterr()
        assert (stop.value.code, printed.out) == (2, "")
        assert printed.err.startswith(f"{path}:1:1: {words}")


def test_a_file_that_may_not_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "locked.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(SystemExit) as stop:
        main(["score", str(path)])
    path.chmod(stat.S_IRUSR)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"{path}:1:1: cannot be read: Permission denied; ")


def _run(arguments: list[str], content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = "from fabrictool.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], input=content, capture_output=True, check=False, timeout=60
    )


def test_the_command_as_users_run_it(tmp_path: Path) -> None:
    path = tmp_path / "layout.yaml"
    path.write_text(_with("count: 16", "count: 0"))
    done = _run(["score", str(path), "--json"])
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"{path}:3:89: count: 0; it must be at least 1\n"


def test_standard_input(tmp_path: Path) -> None:
    done = _run(["score", "-", "--json"], GOOD.encode())
    assert done.returncode == 0
    assert done.stderr == b""
    done = _run(["score", "-"], _with("fat-tree", "!!python/name:os.system").encode())
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"<stdin>:6:13: has the tag")
    done = _run(["score", "-"], b"")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"<stdin>:1:1: is empty; ")
