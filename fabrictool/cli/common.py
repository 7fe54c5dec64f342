"""Options that several commands share, and the one way to print a result."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fabrictool.errors import InputError, Problem

if TYPE_CHECKING:
    from fabrictool.scenario import Asked
    from fabrictool.tabular import Table

F = TypeVar("F", bound=Callable[..., Any])

layouts_argument = click.argument("layouts", nargs=-1, required=True, metavar="LAYOUT...")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, and nothing else.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
color_option = click.option("--no-color", is_flag=True, help="Plain text; so does the variable NO_COLOR.")


def format_option(function: F) -> F:
    """Add ``--format``, and ``--json`` as its short form."""
    choice = click.Choice(["table", "json", "csv", "markdown"])
    function = click.option("--format", "form", type=choice, default="table", help="How to print tables.")(function)
    return json_option(function)


def fault_options(function: F) -> F:
    """Add the options that say what is down or slow; ``asked_by`` reads them."""
    for name, metavar, text in (
        ("--slow", "LINK=FACTOR", "A link at a share of its speed; repeatable."),
        ("--fail-domain", "KIND:NAME", "What fails with a rack, feed, loop, tray, host, scale-up, pod or plane."),
        ("--fail-devices", "N|LIST", "Devices that are down: names, or N switches at random (--seed); repeatable."),
        ("--fail-links", "N|LIST", "Links that are down: device:port, or N between switches at random; repeatable."),
    ):
        function = click.option(name, multiple=True, metavar=metavar, help=text)(function)
    return function


def asked_by(options: dict[str, Any]) -> Asked:
    """Return what the options of ``fault_options`` ask for."""
    from fabrictool.scenario import asked_for

    return asked_for(
        options["fail_links"], options["fail_devices"], options["fail_domain"], options["slow"], options["seed"]
    )


def print_json(document: object) -> None:
    """Print one JSON document; numbers that are not finite are null."""
    click.echo(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))


def print_tables(tables: list[Table], form: str) -> None:
    """Print tables in the form asked for; JSON is one object of all tables by name."""
    if form == "json":
        print_json({table.name: table.to_dicts() for table in tables})
        return
    for row, table in enumerate(tables):
        if row:
            click.echo()
        if form == "table":
            table.print()
        else:
            click.echo(table.to(form).rstrip("\n"))  # type: ignore[arg-type]


def plain(no_color: bool) -> bool:
    """Return whether colours are off: by option, by NO_COLOR, or because stdout is no terminal."""
    return no_color or bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()


def write_file(path: str, content: bytes) -> None:
    """Write a file beside and rename it, so that there is never half a file.

    A link stays a link, to the file that is written; a device such as /dev/null, or a pipe, is written into,
    for a rename would put a file in its place.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target.resolve(), content)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise InputError([Problem(path or "-o", what, "choose another place with -o")]) from None


def _replace(target: Path, content: bytes) -> None:
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(beside).chmod(0o666 & ~umask)
        Path(beside).replace(target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
