"""``fabrictool catalogue``: device types with their sources."""

from __future__ import annotations

import click

from fabrictool.cli.common import format_option, print_tables


@click.command("catalogue", short_help="List device types with their sources.")
@click.argument("type_name", metavar="[TYPE]", required=False)
@format_option
def command(type_name: str | None, as_json: bool, form: str) -> int:
    """List the device types that a layout may name, or all that is known about one TYPE.

    TYPE may also be a kind, such as switches. Every figure has a source and a date.
    """
    from fabrictool.catalogue.listing import listing

    found = listing(type_name)
    print_tables(found if isinstance(found, list) else [found], "json" if as_json else form)
    return 0
