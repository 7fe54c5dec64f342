"""``fabrictool new``: a commented layout to start from."""

from __future__ import annotations

import click


@click.command("new", short_help="Write a commented layout to start from.")
@click.argument("family")
@click.option("--hosts", type=int, metavar="N", help="Number of hosts; default 64.")
@click.option(
    "--host-type",
    metavar="TYPE",
    help="A host of the catalogue, or generic: one GPU, described in place. Default: generic for a fat-tree, else "
    "dgx-h100.",
)
@click.option("--speed", metavar="SPEED", help="Of a link, such as 400G; default that of the hosts' compute ports.")
@click.option("--switch-type", metavar="TYPE", help="A switch of the catalogue; default chosen by speed.")
def command(family: str, hosts: int | None, host_type: str | None, speed: str | None, switch_type: str | None) -> int:
    """Write a commented layout to stdout, sized by what is asked for.

    FAMILY is fat-tree or rail-optimized. The layout can be scored as it is:

    fabrictool new rail-optimized --hosts 127 | fabrictool score -
    """
    from fabrictool.layout.starter import starter

    click.echo(starter(family, hosts, host_type, speed, switch_type), nl=False)
    return 0
