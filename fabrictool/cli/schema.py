"""``fabrictool schema``: the JSON Schema of a layout file."""

from __future__ import annotations

import click

from fabrictool.cli.common import print_json


@click.command("schema", short_help="Print the JSON Schema of a layout file.")
def command() -> int:
    """Print the JSON Schema of a layout file, for editors that complete and check as you type."""
    from fabrictool.layout.model import Layout

    schema = Layout.model_json_schema(by_alias=True)
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema)
    return 0
