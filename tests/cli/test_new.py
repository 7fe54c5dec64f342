"""``fabrictool new``: to stdout and on into ``score``."""

import io
import json
import sys

import pytest

from fabrictool.cli.main import main


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return stop.value.code


@pytest.mark.parametrize(
    "family",
    [
        "fat-tree",
        "rail-optimized",
        "rail-only",
        "multi-plane",
        "dragonfly",
        "dragonfly-plus",
        "slim-fly",
    ],
)
def test_goes_straight_into_score(family, capfd, monkeypatch):
    assert run("new", family, "--hosts", "16") == 0
    text = capfd.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("score", "-", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["layout"] == f"{family}-16"
    assert document["counts"]["hosts"] == 16


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["file"], "family 'file' takes its switches from a fabric file, so there is nothing to size"),
        (["fat-tre"], "family 'fat-tre' is not known; did you mean 'fat-tree'?"),
        (["rail-optimized", "--hosts", "9000"], "ask for 8,192 hosts at most, or choose a switch with more ports"),
        (["fat-tree", "--hosts", "1e30"], "not a valid integer"),
        (["fat-tree", "--hosts", "0"], "0 hosts make no network"),
        (["fat-tree", "--speed", "fast"], "--speed: 'fast' is not a speed"),
        (["fat-tree", "--oversubscription", "0"], "--oversubscription: 0 is no ratio of speeds"),
        (["fat-tree", "--growth", "-1"], "--growth: -1 is less than nothing"),
        ([], "Missing argument 'FAMILY'"),
    ],
)
def test_what_cannot_be_made_ends_with_2_and_an_empty_stdout(arguments, message, capfd):
    assert run("new", *arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err
