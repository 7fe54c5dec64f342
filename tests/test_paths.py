"""Every function that takes the name of a file takes a path as well, and gives the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import fabrictool as ft

LAYOUT = Path(__file__).parents[1] / "topologies" / "ft64.yaml"


@pytest.mark.parametrize("name", ["score", "route", "impact"])
def test_a_path_is_as_good_as_a_name(name: str) -> None:
    function = getattr(ft, name)
    assert function(LAYOUT).to_dict() == function(str(LAYOUT)).to_dict()


def test_layouts_and_fabrics_are_read_from_paths(tmp_path: Path) -> None:
    layout = ft.read_layout(LAYOUT)
    assert layout == ft.read_layout(str(LAYOUT))
    saved = tmp_path / "fabric.npz"
    fabric = ft.build(layout)
    fabric.save(saved)
    assert ft.read_fabric(saved).names == fabric.names
    assert ft.score(saved).to_dict()["network_counts"] == ft.score(layout).to_dict()["network_counts"]
    assert ft.verify(LAYOUT, saved).ok


def test_measurements_are_read_from_a_path(tmp_path: Path) -> None:
    log = tmp_path / "measured.csv"
    log.write_text("collective,ranks,nbytes,time_us\nall-reduce,64,1073741824,50000\n", encoding="utf-8")
    by_path, by_name = (ft.score(LAYOUT, measured=one) for one in (log, str(log)))
    assert by_path.to_dict()["measured"] == by_name.to_dict()["measured"] is not None


def test_a_path_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ft.InputError, match=r"absent\.yaml"):
        ft.score(tmp_path / "absent.yaml")
