"""``fabrictool compare``: forms, exit codes, and the state of a file in git."""

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from fabrictool.cli.main import main

LAYOUT = """
name: small
hosts: {name: h, type: {name: h, gpus: 1, nics: 1, speed: 400G}, count: 8}
networks: {compute: {family: fat-tree, hosts_per_leaf: 4, leaf: {type: {name: s, ports: 8, speed: 400G}}}}
"""
IDENTITY = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(["compare", *arguments])
    return stop.value.code


def git(*arguments):
    subprocess.run(["git", *IDENTITY, *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(LAYOUT)
    Path("large.yaml").write_text(LAYOUT.replace("name: small", "name: large").replace("count: 8", "count: 16"))
    return tmp_path


@pytest.fixture
def repository(place):
    """A repository in a folder of which the layout was first committed, then grown to 12 hosts."""
    git("init", "-q", "-b", "trunk")
    git("add", "large.yaml")
    git("commit", "-q", "-m", "first")
    git("add", "small.yaml")
    git("commit", "-q", "-m", "second")
    Path("small.yaml").write_text(LAYOUT.replace("count: 8", "count: 12"))


def test_json_has_values_differences_and_verdicts(capfd):
    assert run("small.yaml", "large.yaml", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["layouts"] == ["small", "large"]
    hosts = next(figure for figure in document["figures"] if figure["name"] == "hosts")
    assert hosts["values"] == [8, 16]
    (difference,) = hosts["differences"]
    assert difference == {"to": "large", "difference": 8, "relative": 1.0, "uncertainty": 0.0, "verdict": "beyond"}
    assert {"what": "hosts h", "values": ["8 x h", "16 x h"]} in document["structure"]


def test_table_says_first_what_matters(capfd):
    assert run("small.yaml", "large.yaml") == 0
    out = capfd.readouterr().out
    assert out.startswith("large: ")
    assert "figures differ beyond the uncertainty: GPUs, hosts, switches" in out


def test_csv_keeps_full_numbers(capfd):
    assert run("small.yaml", "large.yaml", "--format", "csv", "--size", "1MiB") == 0
    figures = capfd.readouterr().out.split("\n\n")[0]
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(figures))}
    busbw = rows["all-reduce 1 MiB busbw"]
    assert busbw["unit"] == "B/s"
    assert float(busbw["small"]) > 1e9
    assert busbw["verdict of large"] == "within"


def test_an_error_in_one_layout_ends_with_1(capfd):
    Path("hot.yaml").write_text(LAYOUT.replace("name: small", "name: hot") + "racks: {type: rack-48u, count: 1}\n")
    text = Path("hot.yaml").read_text().replace("speed: 400G}, count", "speed: 400G, u: 9}, count")
    Path("hot.yaml").write_text(text)
    assert run("small.yaml", "hot.yaml", "-q") == 1
    assert capfd.readouterr().out == ""


def test_same_names_are_told_apart_by_file(capfd):
    Path("other.yaml").write_text(LAYOUT)
    assert run("small.yaml", "other.yaml", "--json") == 0
    assert json.loads(capfd.readouterr().out)["layouts"] == ["small (small.yaml)", "small (other.yaml)"]


@pytest.mark.usefixtures("repository")
def test_since_compares_with_the_earlier_state_as_markdown(capfd):
    assert run("small.yaml", "--since", "HEAD") == 0
    out = capfd.readouterr().out
    assert out.startswith("## small now against small at HEAD\n")
    assert "| hosts | 8 | 12 | +50.0 % beyond | exact |" in out
    assert "| hosts h | 8 x h | 12 x h |" in out


@pytest.mark.usefixtures("repository")
def test_since_works_from_elsewhere(place, monkeypatch, capfd):
    (place / "inside").mkdir()
    monkeypatch.chdir(place / "inside")
    assert run("../small.yaml", "--since", "trunk", "--json") == 0
    assert json.loads(capfd.readouterr().out)["layouts"] == ["small at trunk", "small now"]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "revision, message",
    [
        ("HEAD~1", "small.yaml: did not exist at HEAD~1; it came with "),
        ("trunc", "--since trunc: is no revision of the repository; did you mean 'trunk'?"),
        ("--all", "is no revision of the repository"),
    ],
)
def test_revisions_that_cannot_be_used(revision, message, capfd):
    assert run("small.yaml", f"--since={revision}") == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("repository")
def test_errors_of_the_earlier_state_name_the_revision(capfd):
    Path("small.yaml").write_text("name: [")
    git("commit", "-q", "-a", "-m", "broken")
    Path("small.yaml").write_text(LAYOUT)
    assert run("small.yaml", "--since", "HEAD") == 2
    assert "HEAD:small.yaml:1:" in capfd.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["small.yaml"], "give two LAYOUTs or more, or --since REVISION"),
        (["small.yaml", "small.yaml"], "small.yaml is given twice"),
        (["small.yaml", "large.yaml", "--since", "HEAD"], "--since compares one LAYOUT"),
        (["-", "--since", "HEAD"], "--since needs a file"),
        (["small.yaml", "--since", "HEAD"], "small.yaml: lies in no git repository"),
        (["small.yaml", "none.yaml"], "none.yaml:1:1: no such file"),
    ],
)
def test_bad_usage_ends_with_2_and_an_empty_stdout(arguments, message, capfd):
    assert run(*arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err


def test_without_git_it_says_so(monkeypatch, capfd):
    monkeypatch.setenv("PATH", "")
    assert run("small.yaml", "--since", "HEAD") == 2
    assert "--since needs git, which is not installed" in capfd.readouterr().err
