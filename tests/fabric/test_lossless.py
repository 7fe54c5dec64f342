"""Headroom, thresholds and buffers, against published arithmetic and figures."""

from typing import Any

import fabrics
import numpy as np
import pytest

import fabrictool as ft
from fabrictool.catalogue.store import entry, names
from fabrictool.design import lossless_networks
from fabrictool.fabric import Fabric
from fabrictool.fabric.buffers import lossless_network
from fabrictool.fabric.lossless import (
    JUMBO_BYTES,
    PATH_MTU,
    ROCE_HEADERS_BYTES,
    ecn_thresholds,
    longest_cable,
    pfc_headroom,
    response_bytes,
)
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

G = 1e9


@pytest.mark.parametrize(("speed", "quanta"), [(10, 60), (25, 80), (40, 118), (100, 394), (400, 905)])
def test_response_times_are_those_of_ieee(speed: float, quanta: int) -> None:
    """IEEE 802.3 31B.3.7: quanta of 512 bit times; 60 at 10 Gbit/s are the 3,840 bytes of Cisco C11-542809."""
    assert response_bytes(speed * G) == quanta * 512 / 8


def test_speeds_that_are_not_listed_take_the_time_of_the_next_lower() -> None:
    assert response_bytes(800 * G) == 2 * response_bytes(400 * G)
    assert response_bytes(200 * G) == 2 * response_bytes(100 * G)


@pytest.mark.parametrize(
    ("speed", "own_bits", "frame_bits"),
    [(10 * G, 8192, 30720), (25 * G, 6144, 40960), (40 * G, 24576, 60416), (100 * G, 122880, 201728)],
)
def test_the_sum_of_delays_in_bit_times(speed: float, own_bits: float, frame_bits: float) -> None:
    """Gupta, Mazzola, ch. 7: frame of 9,216 B 73,888, pause 672, FCoE frame of 2,300 B 18,560 bit times, 5 ns/m."""
    bits = 73888 + 672 + own_bits + frame_bits + 18560 + 2 * 100 * 5e-9 * speed
    found = pfc_headroom(speed, 100, 9216, 2300, own_delay_bytes=own_bits / 8, s_per_m=5e-9)
    assert found * 8 == pytest.approx(bits, rel=1e-12)


def test_cisco_counts_641_bytes_for_100_m_at_10g_each_way() -> None:
    """White paper C11-542809: single-mode fibre at 65 % of the speed of light."""
    fibre = 1 / (0.65 * 299792458)
    grown = pfc_headroom(10 * G, 100, s_per_m=fibre) - pfc_headroom(10 * G, 0, s_per_m=fibre)
    assert grown == pytest.approx(2 * 641, rel=1e-3)


def test_the_worked_value() -> None:
    assert pfc_headroom(400 * G, 30, 9216, 4198) == pytest.approx(9236 + 84 + 2 * 57920 + 4218 + 2 * 7350)


def test_a_driver_counts_the_same_order() -> None:
    """Linux mlx5, en/port_buffer.c: xoff = (301 + 2.16 len) * Gbit/s + 2.72 MTU bytes, a bound for its own buffer."""
    speed, length = np.array([100, 200, 400]), np.array([5, 30, 100])
    driver = (301 + 2.16 * length) * speed + 2.72 * JUMBO_BYTES
    ratio = pfc_headroom(speed * G, length) / driver
    assert (ratio > 0.6).all()
    assert (ratio < 1.6).all()


def test_roce_frames_fit_the_usual_4200_bytes() -> None:
    assert PATH_MTU + ROCE_HEADERS_BYTES == 4198


def test_arrays_and_numbers_give_the_same() -> None:
    speed, length = np.array([100 * G, 400 * G]), np.array([5.0, 50.0])
    each = [float(pfc_headroom(s, m)) for s, m in zip(speed, length, strict=True)]
    assert pfc_headroom(speed, length).tolist() == each
    assert pfc_headroom(speed[:, None], length).shape == (2, 2)


def test_longest_cable_is_the_inverse_of_headroom() -> None:
    speeds = np.array([400 * G] * 64 + [800 * G] * 16)
    for metres in (0.0, 30.0, 2000.0):
        need = float(2 * pfc_headroom(speeds, metres).sum())
        assert longest_cable(need, speeds, priorities=2) == pytest.approx(metres, abs=1e-6)
    assert longest_cable(1e6, speeds) == 0.0


@pytest.mark.parametrize(("speed", "low", "high"), [(25, 100e3, 400e3), (50, 200e3, 800e3), (100, 400e3, 1600e3)])
def test_thresholds_are_those_of_the_published_simulator(speed: float, low: float, high: float) -> None:
    """HPCC's simulator: KMIN_MAP 100, 200, 400 and KMAX_MAP 400, 800, 1600 KB, PMAX_MAP 0.2."""
    found = ecn_thresholds(speed * G)
    assert (float(found[0]), float(found[1]), found[2]) == (low, high, 0.2)


def _roce(buffer: str | None = None, **link: Any) -> dict[str, Any]:
    leaf = {"name": "eth", "ports": 8, "speed": "400G", "latency": "0 ns"} | ({"buffer": buffer} if buffer else {})
    network = {"family": "fat-tree", "protocol": "ethernet", "hosts_per_leaf": 4, "leaf": {"type": leaf}, "link": link}
    hosts = {"name": "host", "type": fabrics.host_type(), "count": 16}
    return {"name": "roce", "hosts": hosts, "networks": {"compute": network}}


def _evaluated(**keys: Any) -> ft.Evaluation:
    return ft.evaluate(layout_from_tree(_roce(**keys)))


def test_a_network_needs_the_sum_over_the_ports_of_its_busiest_switch() -> None:
    found = _evaluated(buffer="2 MB").to_dict()["lossless"]["compute"]
    port = 9236 + 84 + 2 * 57920 + 4218 + 2 * 7350
    assert found["headroom_bytes_per_port"] == pytest.approx({"host": port, "fabric": port})
    assert found["buffer_need_bytes"] == pytest.approx(8 * port)
    assert found["buffer_bytes"] == 2e6
    per_m = 8 * 2 * 400e9 / 8 * 4.9e-9
    assert found["max_length_m"] == pytest.approx((2e6 - 8 * (port - 14700)) / per_m)
    assert found["ecn"] == {"400G": {"kmin_bytes": 1.6e6, "kmax_bytes": 6.4e6, "pmax": 0.2}}
    assert found["mtu_bytes"] == 9216


def test_lengths_are_stated_or_named_as_assumptions() -> None:
    assumed = _evaluated(buffer="2 MB")
    assert {"cable length of compute", "frames of compute", "pause response of compute"} <= {
        row.what for row in assumed.assumptions
    }
    given = _evaluated(buffer="2 MB", length={"host": "5 m", "fabric": "100 m"})
    assert "cable length of compute" not in {row.what for row in given.assumptions}
    found = given.to_dict()["lossless"]["compute"]
    assert found["cable_length_m"] == {"host": 5.0, "fabric": 100.0}
    grown = found["headroom_bytes_per_port"]["fabric"] - found["headroom_bytes_per_port"]["host"]
    assert grown == pytest.approx(95 * 2 * 400e9 / 8 * 4.9e-9)


def test_a_cable_beyond_the_buffer_is_an_error_with_the_longest_possible() -> None:
    long = _evaluated(buffer="2 MB", length="1 km")
    (finding,) = [row for row in long.findings if row.id == "cable-beyond-buffer"]
    assert finding.severity == "error"
    assert "needs 4.955 MB of headroom for 8 ports" in finding.message
    assert "1000 m at host links" in finding.message
    limit = long.lossless["compute"].tightest.max_length_m
    assert limit is not None
    assert f"to {limit:,.0f} m" in finding.fix
    assert not long.ok
    short = _evaluated(buffer="2 MB", length=f"{limit:.3f} m")
    assert "cable-beyond-buffer" not in {row.id for row in short.findings}


def test_an_unknown_buffer_is_named_and_not_guessed() -> None:
    found = _evaluated()
    (finding,) = [row for row in found.findings if row.id == "buffer-unknown"]
    assert finding.severity == "note"
    assert "eth" in finding.message
    document = found.to_dict()["lossless"]["compute"]
    assert document["buffer_bytes"] is None
    assert document["max_length_m"] is None


def test_infiniband_has_no_lossless_settings() -> None:
    tree = _roce()
    tree["networks"]["compute"]["protocol"] = "infiniband"
    layout = layout_from_tree(tree)
    assert lossless_networks(layout, build(layout)) == {}


def test_unknown_speeds_give_no_settings() -> None:
    fabric: Fabric = fabrics.pgft((2, 2), (1, 2), (1, 1))
    silent = ft.edit(fabric, drop=[fabric.port_name(int(port)) for port in fabric.links.port_a])
    assert lossless_network(silent, 0, {"host": 1.0, "fabric": 1.0}, {}) is None


def test_every_buffer_of_the_catalogue_has_a_source_and_is_plausible() -> None:
    """A few microseconds of all ports at full speed: 64 MB at 12.8 Tbit/s to 256 MB at 51.2 Tbit/s."""
    known = [kind for kind in (entry("switches", name) for name in names("switches")) if kind.buffer_bytes]
    assert len(known) >= 10
    for kind in known:
        assert kind.buffer_source
        assert 20e-6 < kind.buffer_bytes * 8 / (kind.ports * kind.speed_bps) < 90e-6
