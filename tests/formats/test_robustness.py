"""Whatever is in a file: a fabric with findings, or one clear error; never anything else."""

from __future__ import annotations

import gzip
import lzma
import random
from pathlib import Path

import pytest
from foreign import DATA, own
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fabrictool as ft
from fabrictool.cli.show import imported_summary
from fabrictool.errors import FabrictoolError, InputError
from fabrictool.formats import containerlab, dot, edges_csv, gexf, graphml, ibutils_topo, node_link, slurm
from fabrictool.formats.imported import Imported
from fabrictool.formats.opening import unpacked
from fabrictool.formats.recognise import imported, imported_from


def _texts() -> dict[str, bytes]:
    found = {}
    for name in (
        "infiniband/ring6.net.gz", "infiniband/ft2_64_faillink.ibnetdiscover-p.out.gz",
        "infiniband/ft2_64_faillink.opensm-subnet.lst.gz", "infiniband/ft2_64.topo", "plans/plan-ref16.csv",
        "plans/ref16.graphml",
    ):  # fmt: skip
        found[name] = unpacked(name, (DATA / name).read_bytes())
    ring = own("infiniband/ring6.net.gz").fabric
    writers = {"own.graphml": graphml, "edges.csv": edges_csv, "own.gexf": gexf, "own.json": node_link, "own.dot": dot}
    writers |= {"own.clab.yml": containerlab, "topology.conf": slurm, "own.topo": ibutils_topo}
    texts = {name: module.write(ring) for name, module in writers.items()}
    texts["topology.yaml"] = slurm.write(ring, plugin="yaml")
    return found | {name: text.encode() for name, text in texts.items()}


TEXTS = _texts()


def _assert_survives(content: bytes) -> Imported | None:
    """Return what is in a file; an error must name the file and a way out."""
    try:
        found = imported_from("file", content)
    except FabrictoolError as error:
        problems = error.problems
    else:
        if found is not None:
            imported_summary(found)
        return found
    assert [problem for problem in problems if not (problem.where.startswith("file") and problem.fix)] == []
    return None


names = st.sampled_from(sorted(TEXTS))


@settings(max_examples=60, deadline=None)
@given(name=names, share=st.floats(0, 1))
def test_files_cut_anywhere(name: str, share: float) -> None:
    _assert_survives(TEXTS[name][: int(share * len(TEXTS[name]))])


@example(name="infiniband/ring6.net.gz", seed=27182, separator=b"\n")
@settings(max_examples=60, deadline=None)
@given(name=names, seed=st.integers(0, 2**32), separator=st.sampled_from([b"\n", b"\n\n", b","]))
def test_files_shuffled(name: str, seed: int, separator: bytes) -> None:
    parts = TEXTS[name].split(separator)
    random.Random(seed).shuffle(parts)
    _assert_survives(separator.join(parts))


@settings(max_examples=60, deadline=None)
@given(name=names, places=st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=9)), max_size=9))
def test_files_overwritten(name: str, places: list[tuple[float, bytes]]) -> None:
    content = bytearray(TEXTS[name])
    for share, replacement in places:
        at = int(share * len(content))
        content[at : at + len(replacement)] = replacement
    _assert_survives(bytes(content))


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=300))
def test_anything_at_all(content: bytes) -> None:
    _assert_survives(content)


#: Formats in which white space at the start of a line has no meaning, and those in which it has.
LOOSE = ["infiniband/ring6.net.gz", "infiniband/ft2_64_faillink.ibnetdiscover-p.out.gz"]
STRICT = ["infiniband/ft2_64.topo", "plans/plan-ref16.csv", "edges.csv"]
CHANGES = [(b"\n", b"\r\n"), (b"\n", b"\r"), (b"\t", b"   "), (b"\n", b"\n  ")]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [(name, *change) for name in LOOSE for change in CHANGES] + [(name, *CHANGES[0]) for name in STRICT],
)
def test_line_ends_and_white_space_make_no_difference(name: str, old: bytes, new: bytes) -> None:
    plain, other = _assert_survives(TEXTS[name]), _assert_survives(TEXTS[name].replace(old, new))
    assert plain is not None
    assert other is not None
    assert plain.fabric.names == other.fabric.names
    rows = range(len(plain.fabric.links))
    assert [plain.fabric.link_name(row) for row in rows] == [other.fabric.link_name(row) for row in rows]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_files_are_opened_and_cut_ones_refused(pack: object, tmp_path: Path) -> None:
    packed = pack(TEXTS["edges.csv"])  # type: ignore[operator]
    (tmp_path / "whole").write_bytes(packed)
    found = imported(str(tmp_path / "whole"))
    assert found is not None
    assert found.format == "edges-csv"
    (tmp_path / "cut").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match=r"cut:1:1: its compression ends early"):
        imported(str(tmp_path / "cut"))


def test_formats_are_told_by_content_and_layouts_are_none() -> None:
    forms = {name: getattr(_assert_survives(text), "format", None) for name, text in TEXTS.items()}
    assert sorted(set(forms.values())) == [
        "containerlab", "dot", "edges-csv", "gexf", "graphml", "ibnetdiscover", "ibnetdiscover-p", "ibutils-lst",
        "ibutils-topo", "node-link", "plan-csv", "slurm",
    ]  # fmt: skip
    for path in (Path(__file__).parents[2] / "topologies").glob("*.yaml"):
        assert imported(str(path)) is None


def test_read_fabric_reads_them_all_and_names_what_it_cannot(tmp_path: Path) -> None:
    fabric = ft.read_fabric(DATA / "infiniband" / "ring6.net.gz")
    fabric.save(str(tmp_path / "f.npz"))
    again = ft.read_fabric(tmp_path / "f.npz")
    assert again.names == fabric.names
    assert again.port_name(0) == fabric.port_name(0)
    (tmp_path / "x").write_text("nothing of the kind")
    with pytest.raises(InputError, match="of a known format"):
        ft.read_fabric(tmp_path / "x")
