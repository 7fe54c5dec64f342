"""``fabrictool new``: a commented layout to start from."""

from __future__ import annotations

import click


@click.command("new", short_help="Write a commented layout to start from.")
@click.argument("family")
@click.option(
    "--hosts",
    type=int,
    metavar="N",
    help="Number of hosts, default 64 (8 at a switch pair); of a rack-scale type each tray is one.",
)
@click.option(
    "--host-type",
    metavar="TYPE",
    help="A host of the catalogue, or generic: one GPU, described in place. Default: dgx-h100 for "
    "networks of rails or planes and for switch pairs, else generic.",
)
@click.option("--speed", metavar="SPEED", help="Of a link, such as 400G; default that of the hosts' compute ports.")
@click.option("--switch-type", metavar="TYPE", help="A switch of the catalogue; default chosen by speed.")
@click.option("--oversubscription", type=float, default=1.0, metavar="R", help="Most speed down to up of a leaf.")
@click.option("--reserve", type=int, default=0, metavar="N", help="Ports of each leaf kept free.")
@click.option("--growth", type=int, default=0, metavar="N", help="Hosts to come, for which no cable may move.")
def command(family: str, hosts: int | None, host_type: str | None, speed: str | None, switch_type: str | None,
            oversubscription: float, reserve: int, growth: int) -> int:  # fmt: skip
    """Write a commented layout to stdout, with the fewest switches that do what is asked.

    FAMILY is fat-tree, rail-optimized, rail-only, multi-plane, dragonfly, dragonfly-plus, slim-fly or
    switch-pair. The layout is proven by building it, its comments hold the arithmetic, and it can be
    scored as it is:

    fabrictool new rail-optimized --hosts 127 | fabrictool score -
    """
    from fabrictool.explore.starter import starter

    click.echo(starter(family, hosts, host_type, speed, switch_type, oversubscription, reserve, growth), nl=False)
    return 0
