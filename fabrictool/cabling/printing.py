"""A verification on the terminal: coverage, mistakes in the order of their cost, and what to do about each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from fabrictool.cabling.progress import Count, Progress
from fabrictool.cabling.told import RootCause
from fabrictool.cabling.verdict import Summary
from fabrictool.tabular import Column, Table

#: Causes of one kind that a table shows; JSON has all.
OF_A_KIND = 12
Source = tuple[str, str, float | None]


def verification_tables(
    layout: str, sources: Sequence[Source], findings: Sequence[RootCause], summary: Summary
) -> list[Table]:
    """Return the tables of a verification."""
    tables = [_summary(layout, summary), _sources(sources)]
    causes = [row for row in findings if row.root_cause]
    notes = [row for row in findings if not row.root_cause]
    if causes:
        tables += cause_tables(causes)
    if notes:
        keys = ("severity", "id", "where", "message", "fix")
        tables.append(
            Table("findings", tuple(Column(key, [getattr(row.finding, key) for row in notes]) for key in keys))
        )
    return tables


def _summary(layout: str, summary: Summary) -> Table:
    values = summary.to_dict()
    seen = summary.planned - summary.not_seen - summary.missing
    columns = [Column("links seen", [f"{seen:,} of {summary.planned:,}"], key="links_seen")]
    columns += [Column(word.replace("_", " "), [values[word]], key=word) for word in values if word != "planned"]
    return Table(layout, tuple(columns))


def _sources(sources: Sequence[Source]) -> Table:
    """Return the dumps by format, with the age of the oldest and the newest."""
    forms = list(dict.fromkeys(form for _, form, _ in sources))
    now = time.time()
    ages = [[now - taken for _, form, taken in sources if form == one and taken is not None] for one in forms]
    return Table(
        "dumps",
        (
            Column("format", forms),
            Column("files", [sum(form == one for _, form, _ in sources) for one in forms]),
            Column("newest", [_age(min(rows)) if rows else None for rows in ages]),
            Column("oldest", [_age(max(rows)) if rows else None for rows in ages]),
        ),
    )


def _age(seconds: float) -> str:
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {word} old"
    return "just taken"


def cause_tables(rows: Sequence[RootCause]) -> list[Table]:
    """Return root causes with their cost, then what repairs each; many of one kind are cut short."""
    shown = _shown(rows)
    number = [str(place) if row else "" for place, row, _ in shown]
    return [
        Table(
            "root causes",
            (
                Column("#", number),
                Column("root cause", [row.root_cause if row else "" for _, row, _ in shown], key="root_cause"),
                Column("costs", [_cost(row) if row else "" for _, row, _ in shown]),
                Column("links", [len(row.links) if row else None for _, row, _ in shown]),
                Column("what", [row.finding.message if row else more for _, row, more in shown]),
            ),
        ),
        Table(
            "repair",
            (
                Column("#", [word for word in number if word]),
                Column("unplugs", [row.unplugs for _, row, _ in shown if row]),
                Column("do", [row.finding.fix for _, row, _ in shown if row]),
                Column("or it is", [_others(row) for _, row, _ in shown if row], key="alternatives"),
            ),
        ),
    ]


def _shown(rows: Sequence[RootCause]) -> list[tuple[int, RootCause | None, str]]:
    """Return each cause with its place; those of a kind beyond ``OF_A_KIND`` are one line that counts them."""
    found: list[tuple[int, RootCause | None, str]] = []
    uses = Counter(row.root_cause for row in rows)
    seen: Counter[str | None] = Counter()
    for place, row in enumerate(rows, 1):
        seen[row.root_cause] += 1
        if seen[row.root_cause] <= OF_A_KIND:
            found.append((place, row, ""))
        elif seen[row.root_cause] == OF_A_KIND + 1:
            found.append((0, None, f"… {uses[row.root_cause] - OF_A_KIND:,} more {row.root_cause}"))
    return found


def _others(row: RootCause) -> str:
    return ", ".join(dict.fromkeys(word for word, _ in row.alternatives if word != row.root_cause))


def _cost(row: RootCause) -> str:
    impact = row.impact
    if impact is None:
        return ""
    shares = ((impact.all_reduce_lost, "all-reduce"), (impact.all_to_all_lost, "all-to-all"))
    parts = [f"{100 * share:.3g} % of {word}" for share, word in shares if share]
    parts += [f"{lost:.3g} % of {name}" for name, lost in impact.collectives if lost]
    return ", ".join(parts) if parts else impact.effect


def progress_tables(found: Progress) -> list[Table]:
    """Return how far each network and each rack is."""
    return [_progress(title, table) for title, table in (("network", found.networks), ("rack", found.racks)) if table]


def _progress(title: str, counts: dict[str, Count]) -> Table:
    rows = list(counts.values())
    return Table(
        f"progress by {title}",
        (
            Column(title, list(counts)),
            Column("planned", [row.planned for row in rows]),
            Column("lit", [row.lit for row in rows]),
            Column("as planned", [row.right for row in rows], key="as_planned"),
            Column("done", [100 * row.right / row.planned if row.planned else 100.0 for row in rows], "%"),
        ),
    )
