"""The heat map of loads: a row a switch, a cell a link, what is down crossed, large networks coarser."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest

from fabrictool.explore.routed import route
from fabrictool.plot.images import image_bytes
from fabrictool.plot.load import MOST_CELLS, MOST_ROWS, load_figure, panels


def test_panels_hold_the_loads_of_each_leaf() -> None:
    """FT64, bit reversal: seven hosts of each leaf meet on one uplink; spine 3 is down."""
    fabric = fabrics.pgft((8, 8), (1, 8), (1, 1))
    routes = route(fabric, "d-mod-k", "bit-reversal", fail_devices="spine-03")
    up, down = panels(routes)
    assert (up.title, down.title) == ("up: leaf to spine", "down: spine to leaf")
    assert up.load.shape == down.load.shape == (8, 8)
    assert np.isinf(up.load[:, 2]).all()
    live = np.delete(up.load, 2, axis=1)
    assert live.max(axis=1) == pytest.approx(np.full(8, 7.0))
    assert live.sum() == pytest.approx(56)
    assert np.delete(down.load, 2, axis=1).sum() == pytest.approx(56)
    # the destinations of spine 3 fall from spine 4 now
    assert np.delete(down.load, 2, axis=1).max() == pytest.approx(2)


def test_links_between_switches_of_one_tier_share_a_panel() -> None:
    group = {"name": "h", "type": fabrics.host_type(), "count": 6}
    fabric = fabrics.fabric_of(group, family="dragonfly", dragonfly={"p": 1, "a": 2, "h": 1, "groups": 3},
                               leaf={"type": {"name": "r", "ports": 4, "speed": "400G"}})  # fmt: skip
    routes = route(fabric)
    (panel,) = panels(routes)
    assert panel.load.shape == (6, 2)
    assert panel.rows == "router"
    assert image_bytes(load_figure(routes), "png").startswith(b"\x89PNG")


def test_rows_and_cells_are_counted_in_whole_numbers() -> None:
    """A panel of one switch has one row, and one tick at it."""
    group = {"name": "h", "type": fabrics.host_type(), "count": 4}
    fabric = fabrics.fabric_of(group, family="fat-tree", leaf={"type": {"name": "r", "ports": 8, "speed": "400G"}},
                               spine={"type": {"name": "s", "ports": 4, "speed": "400G"}, "count": 1})  # fmt: skip
    figure = load_figure(route(fabric))
    figure.draw_without_rendering()
    ticks = [axis.get_majorticklocs() for axes in figure.axes[:2] for axis in (axes.xaxis, axes.yaxis)]
    assert all((each == each.round()).all() for each in ticks)
    assert 1 in ticks[1].tolist()


def test_large_networks_show_the_busiest_of_several() -> None:
    fabric = fabrics.pgft((2, 300), (1, 2), (1, 1))
    routes = route(fabric, "d-mod-k", "random:1", fail_links="leaf-001:3")
    up, _ = panels(routes)
    assert up.load.shape[0] <= MOST_ROWS
    assert up.load.shape[1] <= MOST_CELLS
    assert up.rows_each == 2
    assert np.isfinite(up.load).all()  # the dead link of leaf 1 hides behind leaf 2's
    assert up.load.max() == max(row[3] for row in routes.hot(5, switches_only=True) if row[0].startswith("leaf"))


def test_the_same_loads_give_the_same_bytes() -> None:
    fabric = fabrics.pgft((4, 4), (1, 4), (1, 1))
    first, second = (image_bytes(load_figure(route(fabric, "d-mod-k", "shift:5")), "svg") for _ in range(2))
    assert first == second
