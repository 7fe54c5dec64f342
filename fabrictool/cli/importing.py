"""``fabrictool import``: a file of another tool in one of our own forms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabrictool.cli.common import json_option, print_json, quiet_option, say_written, write_file, write_files

if TYPE_CHECKING:
    from fabrictool.formats.imported import Imported

FORMS = ("edges", "graphml", "npz", "layout")


@click.command("import", short_help="Turn another tool's file into a layout, a plan or edges.csv.")
@click.argument("file")
@click.option("--from", "form", metavar="FORMAT", help="What the file is; default: told by its content.")
@click.option(
    "--to", "target", type=click.Choice(FORMS), default="edges", show_default=True,
    help="edges.csv, GraphML or .npz with everything, or a layout with an edges.csv beside it.",
)  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="Where to; default standard output.")
@quiet_option
@json_option
def command(file: str, form: str | None, target: str, output: str | None, as_json: bool, quiet: bool) -> int:
    """Read FILE, say what is wrong in it, and write the fabric in it in a form of ours.

    Most often there is no need: every command takes such a FILE as it is. Findings go to stderr.

    Exit status: 0 clean, 1 if a finding is an error, 2 if the file cannot be read.
    """
    if target == "layout" and output is None:
        raise click.UsageError("a layout has its links in a file beside it: name the layout with -o")
    if as_json and output is None:
        raise click.UsageError("--json describes what was read on stdout: name the file to write with -o")
    if target == "npz" and output is None and sys.stdout.isatty():
        raise click.UsageError("npz is no text: name a file with -o")
    found = _read(file, form)
    for finding in found.findings if not as_json else ():
        if quiet and finding.severity != "error":
            continue
        click.echo(f"{finding.severity}: {finding.where}: {finding.message}; {finding.fix}", err=True)
    files = _write(found, target, output)
    if output is not None and not (quiet or as_json):
        fabric = found.fabric
        say_written(output, f"{len(fabric.devices):,} devices, {len(fabric.links):,} links", files)
    if as_json:
        counts, findings = found.counts(), [finding.to_dict() for finding in found.findings]
        print_json({"source_format": found.format, "counts": counts, "output": output, "findings": findings})
    return int(any(finding.severity == "error" for finding in found.findings))


def _read(file: str, form: str | None) -> Imported:
    from fabrictool.errors import InputError, Problem
    from fabrictool.formats.netbox_folder import read_folder
    from fabrictool.formats.opening import read_all, text_of
    from fabrictool.formats.reading import READERS, reader_named
    from fabrictool.formats.recognise import imported_from

    if form is None and file != "-" and Path(file).is_dir():
        return read_folder(file)
    name, content = read_all(file)
    if form is not None:
        return reader_named(form)(name, text_of(content))
    found = imported_from(name, content)
    if found is None:
        what = "is of no format that is told by content" if content.strip() else "is empty"
        raise InputError([Problem(f"{name}:1:1", what, f"name it by --from: {', '.join(READERS)}")])
    return found


def _write(found: Imported, target: str, output: str | None) -> int:
    """Write a fabric, and return into how many files."""
    from fabrictool.formats.writing import Export, writer_named

    if target == "layout" and output is not None:
        from fabrictool.explore.described import layout_of

        links = Path(output).with_suffix(".edges.csv")
        edges = writer_named("edges").write(Export(found.fabric))[""]
        write_files({str(links): edges, output: layout_of(found.fabric, links.name).encode()})
        return 2
    writer = writer_named(target)
    content = writer.write(Export(found.fabric))[""]
    if output is None:
        click.echo(content if writer.binary else content.decode(), nl=False)
    else:
        write_file(output, content)
    return 1
