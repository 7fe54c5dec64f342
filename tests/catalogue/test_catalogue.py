"""The catalogue that ships: schema, sources, and figures against what vendors publish."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from fabrictool.catalogue import store
from fabrictool.catalogue.kinds import KINDS
from fabrictool.catalogue.listing import listing
from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.errors import InputError

HARDWARE = Path(__file__).parents[3] / "shared" / "hardware.yaml"
# Kind of the catalogue: section of that file, and entries that the catalogue has besides.
SECTIONS = {
    "switches": ("switches", {"cs7500", "cs7510", "cs7520", "cs8500", "cn5000-dcs", "sb7800"}),
    "hosts": ("hosts", {"ufm-appliance"}),
    "nics": ("nics", set()),
    "transceivers": ("transceivers", {"mms4x00-nm", "mms4x00-ns400"}),
    "cables": ("cables", {"mfp7e30", "mcp7y00", "mcp7y10"}),
    "racks": ("racks", set()),
    "cooling_units": ("cooling", set()),
    "power_units": ("power_distribution", {"gb200-superpod-su", "cray-ex-mi250x-cabinet"}),
    "storage": ("storage", set()),
}
# Entries whose figures were corrected after newer specifications than that file's.
CORRECTED = {"mcp4y10", "mca4j80"}
# Key of that file: field of the type, and the factor to its unit. (CFM: 0.3048**3 / 60 m3/s.)
FIGURES = {
    "u": ("u", 1),
    "ports": ("ports", 1),
    "port_gbps": ("speed_bps", 1e9),
    "gbps": ("speed_bps", 1e9),
    "cages": ("cages", 1),
    "gpus": ("gpus", 1),
    "trays": ("trays", 1),
    "gpu_w": ("gpu_power_w", 1),
    "depth_mm": ("depth_m", 1e-3),
    "weight_kg": ("weight_kg", 1),
    "tare_kg": ("tare_kg", 1),
    "capacity_kg": ("capacity_kg", 1),
    "power_w": ("power_w", 1),
    "power_typical_w": ("power_typical_w", 1),
    "power_max_w": ("power_max_w", 1),
    "power_peak_w": ("power_peak_w", 1),
    "capacity_w": ("capacity_w", 1),
    "rack_w": ("power_w", 1),
    "hosts": ("hosts", 1),
    "approach_k": ("approach_k", 1),
    "flow_lpm": ("flow_m3_per_s", 1e-3 / 60),
    "airflow_cfm": ("airflow_m3_per_s", 0.3048**3 / 60),
    "air_fraction": ("air_fraction", 1),
    "latency_ns": ("latency_s", 1e-9),
    "coolant_inlet_max_c": ("coolant_inlet_max_c", 1),
    "measured_gb_s": ("read_bytes_per_s", 1e9),
    "measured_gib_s": ("read_bytes_per_s", 2**30),
    "accelerators_fed": ("accelerators_fed", 1),
    "as_of": ("as_of", None),
    "protocol": ("protocol", None),
    "vendor": ("vendor", None),
    "breakout": ("breakout", None),
    "protocols": ("protocols", None),
    "kind": ("kind", None),
}


@pytest.fixture(scope="module")
def hardware():
    if not HARDWARE.exists():
        pytest.skip(f"{HARDWARE} with the figures as collected is not on this machine")
    return yaml.safe_load(HARDWARE.read_text(encoding="utf-8"))


def test_every_entry_fits_its_schema_and_has_source_and_date():
    assert store.check() == []


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_unique_and_dates_are_text(kind):
    text = (Path(store.__file__).parent / "data" / f"{kind}.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    names = [row["name"] for row in document["entries"]]
    assert len(names) == len(set(names)) > 0
    for name in names:
        entry = store.entry(kind, name)
        assert entry.name == name
        assert entry.as_of[:2] == "20"
        assert len(entry.source) > 10


def test_check_reports_a_wrong_entry(monkeypatch):
    monkeypatch.setitem(store._rows("racks"), "broken", {"name": "broken", "u": 42, "tare": "150 W", "capacity": "1 t"})
    monkeypatch.setitem(
        store._rows("racks"), "unsourced", {"name": "unsourced", "u": 42, "tare": "1 t", "capacity": "1 t"}
    )
    wrong = store.check()
    assert len(wrong) == 2
    assert "racks/broken" in wrong[0]
    assert "'150 W' is a power, not a mass" in wrong[0]
    assert wrong[1] == "racks/unsourced: no source or date"


def test_dgx_h100():
    """DGX H100/H200 user guide, Introduction; 900 GB/s of NVLink are 450 GB/s per direction."""
    host = store.entry("hosts", "dgx-h100")
    assert (host.power_max_w, host.u, host.gpus, host.weight_kg) == (10200, 8, 8, 130.45)
    compute = host.nics[0]
    assert (compute.role, compute.ports, compute.cages, compute.speed_bps) == ("compute", 8, 4, 400e9)
    assert (host.scale_up.domain, host.scale_up.speed_bps) == (8, 3.6e12)
    assert host.ports == 8 + 2 * 2 + 1
    assert host.heat_max_w == pytest.approx(38557 * 0.293071070172, rel=1e-6)  # BTU/h, International Table
    assert "38 557 BTU/h" in host.note
    assert host.airflow_m3_per_s == pytest.approx(1105 * 0.3048**3 / 60, rel=1e-9)


def test_dgx_h200_repeats_the_chassis_of_the_h100():
    h100, h200 = store.entry("hosts", "dgx-h100"), store.entry("hosts", "dgx-h200")
    assert h200.nics == h100.nics
    assert (h200.depth_m, h200.psu, h200.gpu) == (h100.depth_m, h100.psu, "H200")


def test_qm9700():
    """QM97x0 hardware user manual, Specifications / Interfaces."""
    switch = store.entry("switches", "qm9700")
    assert (switch.ports, switch.cages, switch.speed_bps, switch.cage_speed_bps) == (64, 32, 400e9, 800e9)
    assert (switch.power_max_w, switch.power_typical_w) == (1720, 747)


def test_gb200_nvl72_is_a_rack_of_trays():
    """115 kW to coolant and 17 kW to air (HPE QuickSpecs); 18 trays of 4 GPUs; four ConnectX-7 a tray."""
    rack = store.entry("hosts", "gb200-nvl72")
    assert rack.trays * rack.gpus_per_tray == rack.gpus == rack.scale_up.domain == 72
    assert rack.power_max_w == 132e3
    assert rack.air_fraction * 132 == pytest.approx(17, abs=0.01)
    assert rack.nics[0].ports == 4


def test_ufm_appliance():
    """Four NDR links: DGX SuperPOD RA RA-11333-001, Table 4, has 4 x 32 x 8 - 8 + 4 = 1020 host and UFM cables.
    One more port for the out-of-band cable that each has in Table 8."""
    ufm = store.entry("hosts", "ufm-appliance")
    assert (ufm.gpus, ufm.ports, ufm.u, ufm.power_max_w, ufm.weight_kg) == (0, 5, 1, 689, 17)
    assert 127 * 8 + ufm.nics[0].ports == 1020


def test_nvlink_tray_serves_every_gpu_of_the_rack():
    """Nine trays carry the 72 x 18 NVLink 5 links of the rack, at the speed that the GPUs have."""
    tray, rack = store.entry("switches", "nvlink5-switch-tray"), store.entry("hosts", "gb200-nvl72")
    assert 9 * tray.ports == rack.gpus * rack.scale_up.links_per_gpu
    assert 9 * tray.ports * tray.speed_bps == pytest.approx(rack.gpus * rack.scale_up.speed_bps)


@pytest.mark.parametrize("kind", SECTIONS)
def test_same_entries_and_figures_as_collected(hardware, kind):
    section, besides = SECTIONS[kind]
    rows = {row["id"]: row for row in hardware[section]}
    assert set(store.names(kind)) == set(rows) | besides
    compared = 0
    for name, row in rows.items():
        entry = store.entry(kind, name)
        for key, (field, factor) in FIGURES.items():
            if key not in row or not hasattr(entry, field):
                continue
            if name in CORRECTED and key == "as_of":
                continue
            expected = row[key] if factor is None else pytest.approx(row[key] * factor, rel=1e-9)
            assert getattr(entry, field) == expected, f"{name}: {key}"
            compared += 1
    assert compared > len(rows)


def test_scale_up_is_half_of_both_directions(hardware):
    for row in hardware["hosts"]:
        published = row.get("scale_up", {}).get("gb_s_per_gpu")
        if published is not None:
            assert store.entry("hosts", row["id"]).scale_up.speed_bps == pytest.approx(published / 2 * 8e9), row["id"]


def test_scale_up_is_the_sum_of_its_links(hardware):
    """Ethernet and xGMI scale-up: links of a GPU times the speed of one, per direction."""
    for row in hardware["hosts"]:
        scale_up = row.get("scale_up", {})
        link_bps = scale_up.get("gbps_per_link", 0) * 1e9 or scale_up.get("gb_s_per_link_bidir", 0) / 2 * 8e9
        if link_bps:
            ours = store.entry("hosts", row["id"]).scale_up
            assert ours.links_per_gpu == scale_up["links_per_gpu"]
            assert ours.speed_bps == pytest.approx(ours.links_per_gpu * link_bps, rel=3e-4)  # 1075.2 given as 1075


def test_cray_ex_cabinet():
    """RAPS config/frontier.yaml: 378 595.2 W with all parts at their maximum, no heat to air."""
    cabinet = store.entry("power_units", "cray-ex-mi250x-cabinet")
    assert (cabinet.power_w, cabinet.power_idle_w, cabinet.air_fraction) == (378595.2, 95900, 0)


def test_latency_limits_of_switches():
    """Product brief (QM8790), product page (Quantum-X800), Frontier notes (Rosetta)."""
    latencies = {name: store.entry("switches", name).latency_s for name in ("qm8790", "q3400-ra", "rosetta-tor")}
    assert latencies == pytest.approx({"qm8790": 90e-9, "q3400-ra": 100e-9, "rosetta-tor": 350e-9})


def test_adapters_as_collected(hardware):
    for row in hardware["hosts"]:
        nics = row.get("nics") or row.get("nics_per_tray") or store.as_written("hosts", row["id"])["nics"]
        expected = [(nic["role"], nic["count"], nic.get("ports_each", 1)) for nic in nics]
        assert [(nic.role, nic.count, nic.ports_each) for nic in store.entry("hosts", row["id"]).nics] == expected
        if "nics" in row or "nics_per_tray" in row:
            speeds = [nic["gbps"] * 1e9 for nic in nics]
            assert [nic.speed_bps for nic in store.entry("hosts", row["id"]).nics] == speeds


def test_storage_demands_as_collected(hardware):
    """DGX SuperPOD RA H100, Table 6, in GB/s: host, one and four scalable units."""
    for row in hardware["storage"]:
        if "host_read_gb_s" in row:
            asked = [(d.read_bytes_per_s, d.write_bytes_per_s) for d in store.entry("storage", row["id"]).demand]
            scopes = ("host", "su", "four_su")
            assert asked == [(row[f"{s}_read_gb_s"] * 1e9, row[f"{s}_write_gb_s"] * 1e9) for s in scopes]


def test_prices_as_collected(hardware):
    prices = hardware["indicative_prices"]
    assert {n: store.entry("prices", n).usd for n in store.names("prices")} == {
        row["id"]: row["usd"] for row in prices["devices"]
    }
    assert set(store.names("link_prices")) == {row["id"] for row in prices["cables"]}
    for row in prices["cables"]:
        link = store.entry("link_prices", row["id"])
        assert (link.media, link.speed_bps, link.min_m, link.max_m) == (
            row["kind"],
            row["gbps"] * 1e9,
            row["min_m"],
            row["max_m"],
        )
        assert (link.cable_usd, link.cable_usd_per_m, link.transceiver_usd, link.transceiver_w) == (
            row["cable_usd"],
            row["cable_usd_per_m"],
            row["transceiver_usd_per_end"],
            row["transceiver_w_per_end"],
        )
        assert link.latency_s_per_m == pytest.approx(row["latency_ns_per_m"] * 1e-9)
        assert link.as_of == "2026-09"
        assert "estimate" in link.note


def test_unknown_name_gives_the_nearest():
    with pytest.raises(ValueError, match=r"no switch type 'qm9701'; did you mean 'qm97[09]0'\?"):
        store.find("switches", "qm9701", "switch type")


def test_unknown_key_and_missing_unit_are_refused():
    with pytest.raises(ValidationError, match="portz"):
        SwitchType.model_validate({"name": "s", "ports": 4, "speed": "400G", "portz": 1})
    with pytest.raises(ValidationError, match="has no unit"):
        SwitchType.model_validate({"name": "s", "ports": 4, "speed": 400})
    with pytest.raises(ValidationError, match="do not fill"):
        SwitchType.model_validate({"name": "s", "ports": 5, "cages": 2, "speed": "400G"})


def test_plain_nics_are_compute_adapters():
    host = HostType.model_validate({"name": "h", "gpus": 8, "nics": 8, "speed": "400G"})
    assert [(nic.role, nic.count, nic.speed_bps) for nic in host.nics] == [("compute", 8, 400e9)]


def test_listing_has_a_table_for_each_kind():
    tables = listing()
    assert [table.name for table in tables] == [kind.replace("_", " ") for kind in KINDS]
    for kind, table in zip(KINDS, tables, strict=True):
        assert [row["name"] for row in table.to_dicts()] == store.names(kind)
        assert all(row["source"] and row["as_of"] for row in table.to_dicts())


def test_listing_of_a_kind():
    rows = {row["name"]: row for row in listing("switches").to_dicts()}
    assert rows["qm9700"]["power_max_w"] == 1720
    assert rows["qm9700"]["speed_bps"] == 400e9
    assert rows["sn2201"]["power_max_w"] is None
    assert "| 400G |" in listing("switches").to_markdown()


def test_listing_of_a_type_keeps_units_sources_and_price():
    rows = dict(listing("qm9700"))
    assert rows["speed"] == "400G"
    assert rows["power max"] == "1720 W"
    assert rows["source"].startswith("NVIDIA QM97x0 hardware user manual")
    assert rows["as of"] == "2026-09-13"
    assert rows["prices: usd"] == "38000"
    assert [value for figure, value in listing("dgx-h100") if figure == "nics"][2] == "role bmc, count 1, speed 1G"


def test_listing_of_an_unknown_name():
    with pytest.raises(InputError, match=r"'switchs'; did you mean 'switches'\?"):
        listing("switchs")
    with pytest.raises(InputError, match=r"'dgx-h10'; did you mean 'dgx-h100'\?"):
        listing("dgx-h10")
