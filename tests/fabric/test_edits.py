"""Changes make a new fabric and rename nothing."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest

from fabrictool.errors import FabricError, InputError
from fabrictool.fabric import Fabric, edit


@pytest.fixture(scope="module")
def ft16() -> Fabric:
    return fabrics.pgft((4, 4), (1, 4), (1, 1), ports=14)


def _links(fabric: Fabric) -> dict[str, tuple[float, float]]:
    links = fabric.links
    return {fabric.link_name(row): (links.speed_bps[row], links.latency_s[row]) for row in range(len(links))}


def test_without_changes_all_tables_are_equal(ft16: Fabric) -> None:
    same = edit(ft16)
    for table in ("devices", "ports", "links", "gpus", "gpu_ports"):
        before, after = getattr(ft16, table).columns(), getattr(same, table).columns()
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_dropped_link_leaves_two_free_ports(ft16: Fabric) -> None:
    less = edit(ft16, drop=["leaf-02:6"])
    assert _links(ft16).keys() - _links(less).keys() == {"leaf-02:6 - spine-02:2"}
    assert less.names == ft16.names
    assert np.count_nonzero(less.ports.peer < 0) == np.count_nonzero(ft16.ports.peer < 0) + 2


def test_a_link_is_named_by_either_end(ft16: Fabric) -> None:
    assert _links(edit(ft16, drop=["spine-02:2"])) == _links(edit(ft16, drop=["leaf-02:6"]))


def test_a_dropped_device_takes_its_links_and_renames_nobody(ft16: Fabric) -> None:
    less = edit(ft16, drop=["spine-03"])
    assert set(ft16.names) - set(less.names) == {"spine-03"}
    assert _links(less) == {name: value for name, value in _links(ft16).items() if "spine-03" not in name}


def test_a_dropped_host_takes_its_gpus(ft16: Fabric) -> None:
    less = edit(ft16, drop=["host-02", "host-14"])
    assert len(less.gpus) == 12
    assert [less.names[row] for row in less.gpus.host] == [name for name in less.names if name.startswith("host")]
    assert np.array_equal(less.ports.device[less.gpu_ports.port], less.gpus.host[less.gpu_ports.gpu])


def test_slow_links_keep_a_share_of_their_speed(ft16: Fabric) -> None:
    slow = edit(ft16, slow={"leaf-01:5": 0.25, "host-03:1": 0.5})
    changed = {name: value for name, value in _links(slow).items() if value != _links(ft16)[name]}
    assert changed == {"leaf-01:5 - spine-01:1": (100e9, 5e-7), "host-03:1 - leaf-01:3": (200e9, 5e-7)}


def test_an_added_link_joins_free_ports_at_the_slower_ports_speed(ft16: Fabric) -> None:
    more = edit(ft16, add=[("leaf-04:3", "spine-01:400")])
    assert _links(more).items() - _links(ft16).items() == {("leaf-04:3 - spine-01:400", (400e9, 5e-7))}


def test_a_moved_cable_is_a_drop_and_an_add(ft16: Fabric) -> None:
    moved = edit(ft16, drop=["leaf-01:5"], add=[("leaf-01:5", "spine-02:9")])
    assert "leaf-01:5 - spine-02:9" in _links(moved)
    assert len(moved.links) == len(ft16.links)


def test_the_fabric_before_stays_as_it_is(ft16: Fabric) -> None:
    before = _links(ft16)
    edit(ft16, drop=["spine-01", "leaf-02:6"], slow={"leaf-01:7": 0.5})
    assert _links(ft16) == before


def test_every_unknown_name_is_reported(ft16: Fabric) -> None:
    with pytest.raises(InputError) as caught:
        edit(
            ft16,
            drop=["spine-9", "leaf-07:1", "leaf-01:999", "leaf-04:3"],
            slow={"nobody:1": 0.5, "leaf-01:5": 0.0, "leaf-01:6": 1.5},
            add=[("leaf-01:x", "spine-01:400")],
        )
    text = str(caught.value)
    assert "spine-9: no such device; did you mean 'spine-0" in text
    assert "leaf-07: no such device" in text
    assert "leaf-01:999: no such port; leaf-01 has ports 1 to 512" in text
    assert "leaf-04:3: no link on this port" in text
    assert "nobody: no such device" in text
    assert "leaf-01:x: no such port" in text
    assert "leaf-01:5: factor 0.0" in text
    assert "leaf-01:6: factor 1.5" in text
    assert len(caught.value.problems) == 8


def test_a_link_on_a_used_port_is_refused(ft16: Fabric) -> None:
    with pytest.raises(FabricError, match="leaf-01:1: 2 links use this port"):
        edit(ft16, add=[("leaf-01:1", "spine-01:400")])


def test_a_link_to_a_dropped_device_is_refused(ft16: Fabric) -> None:
    with pytest.raises(InputError, match="spine-01"):
        edit(ft16, drop=["spine-01"], add=[("leaf-04:3", "spine-01:400")])
