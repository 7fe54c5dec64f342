"""Options that several commands share, and the one way to print a result."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
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


def routing_asked(word: str | None) -> str | dict[str, Any] | None:
    """Return a routing as a name, or as the mapping that stands in braces.

    Raises
    ------
    click.UsageError
        If what stands in braces is no mapping.
    """
    if word is None or not word.lstrip().startswith("{"):
        return word
    import yaml

    try:
        stated: dict[str, Any] = yaml.safe_load(word)
    except yaml.YAMLError:
        raise click.UsageError(f"--routing: '{word}' is no mapping such as '{{name: ecmp, hash: crc32}}'") from None
    return stated


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
    """Write a file, as :func:`write_files` does."""
    write_files({path: content})


def make_folders(files: Iterable[str]) -> None:
    """Make the folders that files are to stand in.

    Raises
    ------
    InputError
        If one cannot be made.
    """
    for folder in dict.fromkeys(Path(path).parent for path in files):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot be made: {error.strerror}"
            raise InputError([Problem(str(folder), what, "choose another place with -o")]) from None


def write_files(files: Mapping[str, bytes]) -> None:
    """Write files beside and rename them once all are whole, so that there is never half a file, nor half of them.

    A link stays a link, to the file that is written; a device such as /dev/null, or a pipe, is written into,
    for a rename would put a file in its place.

    Raises
    ------
    InputError
        If a place cannot be written; files that were there are as they were.
    """
    beside: dict[Path, str] = {}
    path = ""
    try:
        for path, content in files.items():
            target = Path(path)
            if target.exists() and not target.is_file():
                target.write_bytes(content)
            else:
                resolved = target.resolve()
                handle, beside[resolved] = tempfile.mkstemp(dir=resolved.parent, prefix=f".{resolved.name[:200]}.")
                _fill(handle, content)
        for target, whole in beside.items():
            path = str(target)
            Path(whole).replace(target)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fix = "make room, or choose another place with -o" if full else "choose another place with -o"
        raise InputError([Problem(path or "-o", f"cannot be written: {error.strerror}", fix)]) from None
    finally:
        for whole in beside.values():
            Path(whole).unlink(missing_ok=True)


def say_written(target: str, what: str, files: int = 1) -> None:
    """Say in one line on stderr what was written where: nothing else shows that it was."""
    several = f"{files:,} files, " if files > 1 else ""
    click.echo(f"wrote {target}: {several}{what}", err=True)


def _fill(handle: int, content: bytes) -> None:
    """Write a file that is open, down to the disk, and give it the rights of a new one."""
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(stream.fileno(), 0o666 & ~umask)
