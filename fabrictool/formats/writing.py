"""Formats that a fabric or its cable plan is written in, by name."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.formats.format_names import format_named
from fabrictool.formats.netbox import TypeFacts
from fabrictool.formats.simgrid import Routes
from fabrictool.records import CableRow, Patch, PatchPanel, Place

#: File name to content; the main file is called "".
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Export:
    """What is written: a fabric, the row of the network that is meant where a format holds one, names of ports.

    ``places`` say where devices stand, by name; ``types`` and ``racks`` what is known of types and how high racks are;
    ``cables`` are rows of the cable plan, if one was made, ``colours`` the colours of cables as hexadecimal digits,
    ``media`` what NetBox calls the media of the plan, and ``book`` what makes its workbook; ``panels`` and ``patches``
    its patch panels and the fibres over them.
    """

    fabric: Fabric
    network: int = 0
    words: Sequence[str] | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    racks: Mapping[str, int] = field(default_factory=dict)
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    routes: Routes | None = None
    cables: Sequence[CableRow] | None = None
    colours: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, str] = field(default_factory=dict)
    book: Callable[[], bytes] | None = None
    panels: Sequence[PatchPanel] = ()
    patches: Sequence[Patch] = ()

    @property
    def protocol(self) -> str:
        """Protocol of the network that is meant."""
        return self.fabric.networks[self.network].protocol


@dataclass(frozen=True, slots=True)
class Writer:
    """A format: what it is, how it is written, and what of a fabric it wants.

    Parameters
    ----------
    title : str
    write : callable
    one_network : bool
        Whether it holds a single network.
    port_names : str
        How ports are called by default; empty where the format has names of its own.
    binary : bool
    routed : bool
        Whether it holds routes.
    planned : bool
        Whether it holds a cable plan.
    """

    title: str
    write: Callable[[Export], Files]
    one_network: bool = False
    port_names: str = ""
    binary: bool = False
    routed: bool = False
    planned: bool = False


def _text(module: str) -> Callable[[Export], Files]:
    return lambda export: {"": import_module(f"fabrictool.formats.{module}").write(export.fabric).encode()}


def _named(module: str) -> Callable[[Export], Files]:
    def write(export: Export) -> Files:
        text: str = import_module(f"fabrictool.formats.{module}").write(export.fabric, export.words)
        return {"": text.encode()}

    return write


def _slurm(plugin: str, export: Export) -> Files:
    from fabrictool.formats import slurm

    return {"": slurm.write(export.fabric, export.network, plugin).encode()}


def _netfile(export: Export, ibsim: bool = False) -> Files:
    from fabrictool.formats.netfile import netfile

    return {"": "".join(netfile(export.fabric, export.network, ibsim=ibsim)).encode()}


def _topo(export: Export) -> Files:
    from fabrictool.formats import ibutils_topo

    definitions = ibutils_topo.written_definitions(export.fabric, export.network)
    beside = {f"ibnl/{name}": text.encode() for name, text in definitions.items()}
    return {"": ibutils_topo.write(export.fabric, export.network).encode()} | beside


def _npz(export: Export) -> Files:
    from fabrictool.fabric.store import write_stream

    out = io.BytesIO()
    write_stream(export.fabric, out)
    return {"": out.getvalue()}


def _rows(export: Export) -> list[CableRow]:
    """Return the rows of the cable plan; of a fabric that none was made of a row for each link."""
    from fabrictool.formats.plan_rows import cable_rows

    rows: Iterable[CableRow] | None = export.cables
    if rows is None:
        rows = cable_rows(export.fabric, export.words, export.places)
    return list(rows)


def _sheets(form: str, export: Export) -> Files:
    from fabrictool.formats import point_to_point

    chosen = form or ("infiniband" if export.protocol == "infiniband" else "ethernet")
    return {"": point_to_point.write(_rows(export), chosen, export.protocol)}


def _plan(export: Export) -> Files:
    from fabrictool.formats import plan_csv

    return {"": plan_csv.write(_rows(export)).encode()}


def _workbook(export: Export) -> Files:
    if export.book is None:
        raise InputError("a workbook holds the cable plan of a layout, and a fabric from elsewhere has none",
                         "export it --to p2p or plan")  # fmt: skip
    return {"": export.book()}


def _netbox(export: Export) -> Files:
    from fabrictool.formats import netbox
    from fabrictool.formats.linked import port_words

    words = export.words if export.words is not None else port_words(export.fabric)
    inventory = netbox.Inventory(
        export.fabric,
        words,
        export.places,
        export.types,
        export.racks,
        export.colours,
        export.media,
        export.panels,
        export.patches,
    )
    return {name: text.encode() for name, text in netbox.write(inventory, _rows(export)).items()}


def _simgrid(export: Export) -> Files:
    from fabrictool.formats import simgrid

    if export.routes is None:
        raise InputError("a SimGrid platform needs routes", "write it by the command export")
    return {"": "".join(simgrid.write(export.fabric, export.network, export.routes)).encode()}


def _labels(export: Export) -> Files:
    from fabrictool.formats import labels_csv

    return {"": labels_csv.write(_rows(export)).encode("utf-8-sig")}


WRITERS: Mapping[str, Writer] = {
    "edges": Writer("edges.csv: one link a row", _text("edges_csv")),
    "graphml": Writer("GraphML, with everything of the fabric", _text("graphml")),
    "gexf": Writer("GEXF for Gephi, with everything", _text("gexf")),
    "node-link": Writer("node-link JSON for d3 and networkx, with everything", _text("node_link")),
    "npz": Writer("our own, with everything", _npz, binary=True),
    "dot": Writer("DOT: topology.dot of PTM, graphviz", _named("dot"), port_names="vendor"),
    "containerlab": Writer("a topology of containers", _named("containerlab"), port_names="number"),
    "ibnetdiscover": Writer("what ibnetdiscover would list", _netfile, one_network=True),
    "ibsim": Writer("the same for ibsim 0.10, rates up to HDR", partial(_netfile, ibsim=True), one_network=True),
    "ibutils-topo": Writer(".topo of ibutils, with .ibnl files in a folder beside", _topo, one_network=True),
    "slurm-tree": Writer("topology.conf of topology/tree", partial(_slurm, "tree"), one_network=True),
    "slurm-block": Writer("topology.conf of topology/block", partial(_slurm, "block"), one_network=True),
    "slurm-yaml": Writer("topology.yaml, tree and blocks", partial(_slurm, "yaml"), one_network=True),
    "simgrid": Writer("SimGrid platform with a route for each pair", _simgrid, one_network=True, routed=True),
    "p2p": Writer("point-to-point sheets (.xlsx) of UFM's cable validation", partial(_sheets, ""),
                  port_names="sheets", binary=True, planned=True),
    "ptp-links": Writer("its Links sheet (.xlsx), from version 1.7.1", partial(_sheets, "links"),
                        port_names="sheets", binary=True, planned=True),
    "plan": Writer("plan CSV: one link a row, with places", _plan, port_names="number", planned=True),
    "workbook": Writer("the cable plan with all its sheets (.xlsx)", _workbook, port_names="vendor", binary=True,
                       planned=True),
    "netbox": Writer("a folder of CSV files for NetBox's bulk import", _netbox, port_names="vendor", planned=True),
    "labels": Writer("labels (.csv): one row a label, both ends", _labels, port_names="vendor", planned=True),
}  # fmt: skip
#: What others call these formats.
SYNONYMS = {
    "edges-csv": "edges", "edges.csv": "edges", "ptm": "dot", "graphviz": "dot", "topology.dot": "dot",
    "clab": "containerlab", "topo": "ibutils-topo", "ibutils": "ibutils-topo", "slurm": "slurm-tree",
    "topology.conf": "slurm-tree", "topology.yaml": "slurm-yaml", "json": "node-link", "netfile": "ibsim",
    "ptp": "ptp-links", "point-to-point": "p2p", "cvt": "p2p", "plan-csv": "plan", "xlsx": "p2p",
}  # fmt: skip


def writer_named(word: str) -> Writer:
    """Return a format's writer.

    Raises
    ------
    InputError
        If there is no such format.
    """
    return WRITERS[format_named(word, "--to", WRITERS, SYNONYMS)]
