"""Tables of ``impact`` that fit a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fabrictool.changes.capacity import Capacity
from fabrictool.changes.effects import Impact
from fabrictool.changes.ranking import Loss
from fabrictool.records import Finding
from fabrictool.tabular import Column, Table

if TYPE_CHECKING:
    from fabrictool.changes.report import Change
    from fabrictool.changes.upgrade import Upgrade


def change_tables(baseline: Capacity, changes: Sequence[Change], title: str) -> list[Table]:
    """Return the figures before and after each change, and the channels that become hot."""
    states = [baseline, *(change.impact.after for change in changes)]
    names = ["healthy", *(f"with {change.kind}" if change.kind == "faults" else "in the drain" for change in changes)]
    columns = [Column("of", ["hosts", "endpoints", "pairs", "all-reduce GB/s", "all-to-all GB/s", "links of halves"])]
    cuts = [None, *(change.impact.bisection_after for change in changes)]
    cuts[0] = changes[0].impact.bisection_before if changes else None
    for name, state, cut in zip(names, states, cuts, strict=True):
        rates = [_gigabytes(state.all_reduce_bytes_per_s), _gigabytes(state.all_to_all_bytes_per_s)]
        columns.append(Column(name, [state.hosts, state.endpoints, state.pairs, *rates, cut], align="right"))
    columns += [Column(f"{change.kind} lost", _lost(change.impact), align="right") for change in changes]
    tables = [Table(title, tuple(columns))]
    return tables + [_hot(change) for change in changes if change.impact.hot]


def job_tables(changes: Sequence[Change]) -> list[Table]:
    """Return the collectives that were asked about before and after each change."""
    return [_jobs(change) for change in changes if change.jobs]


def _jobs(change: Change) -> Table:
    rows = change.jobs
    return Table(
        f"collectives with the {change.kind}",
        (
            Column("collective", [row.title for row in rows]),
            Column("algorithm", [_both(row.before.algorithm, row.after.algorithm) for row in rows]),
            Column("model", [row.before.model for row in rows]),
            Column("before", [row.before.time_s for row in rows], "s"),
            Column("after", [row.after.time_s for row in rows], "s"),
            Column("lost", [_percent(row.percent) for row in rows], align="right"),
            Column("limited by", [row.after.limited_by for row in rows]),
        ),
    )


def _both(before: str, after: str) -> str:
    return before if after in ("", before) else f"{before}, then {after}"


def _percent(lost: float | None) -> str:
    return "—" if lost is None else f"{lost:.2f} %"


def ranking_tables(worst: Sequence[Loss], by_kind: Sequence[tuple[Loss, int]]) -> list[Table]:
    """Return the worst of each kind, and the worst of all."""
    if not worst:
        return []
    kinds = (
        Column("of kind", [loss.kind for loss, _ in by_kind]),
        Column("count", [count for _, count in by_kind]),
        Column("worst", [loss.domain.name for loss, _ in by_kind]),
        *_loss_columns([loss for loss, _ in by_kind]),
    )
    losses = (
        Column("lost", [loss.domain.name for loss in worst]),
        *_gone_columns(worst),
        Column("busiest link then", [loss.busiest or None for loss in worst]),
        *_loss_columns(worst),
    )
    return [Table("one lost: the worst of each kind", kinds), Table(f"one lost: the worst {len(worst)}", losses)]


def wave_tables(found: Upgrade | None) -> list[Table]:
    """Return the waves of an upgrade, if one was asked for."""
    if found is None:
        return []
    rows = found.waves
    columns = (
        Column("wave", list(range(1, len(rows) + 1))),
        Column("out", [len(row.devices) for row in rows]),
        Column("switches", [_some(row.devices) for row in rows]),
        Column("stops", [row.stops or None for row in rows]),
        Column("hosts stopped", [row.hosts_stopped for row in rows]),
        Column("stays", [_share(row.stays) for row in rows], align="right"),
        Column("all-reduce lost", [_share(row.loss.all_reduce_lost) for row in rows], align="right"),
        Column("all-to-all lost", [_share(row.loss.all_to_all_lost) for row in rows], align="right"),
    )
    least = f"at least {found.fewest} for {100 * found.keep:g} % to stay"
    return [Table(f"upgrade in {len(rows)} waves, {least}", columns)]


def finding_table(findings: Sequence[Finding]) -> list[Table]:
    """Return the findings, if there are any."""
    keys = ("severity", "id", "where", "message", "fix")
    columns = tuple(Column(key, [getattr(finding, key) for finding in findings]) for key in keys)
    return [Table("findings", columns)] if findings else []


def _loss_columns(losses: Sequence[Loss]) -> tuple[Column, ...]:
    return (
        Column("all-reduce lost", [_share(loss.all_reduce_lost) for loss in losses], align="right"),
        Column("all-to-all lost", [_share(loss.all_to_all_lost) for loss in losses], align="right"),
        Column("hosts lost", [loss.hosts_lost for loss in losses]),
        Column("impaired", [loss.hosts_impaired for loss in losses]),
        Column("pairs lost", [loss.pairs_lost for loss in losses]),
        *(
            Column(f"{job.title} lost", [_percent(loss.jobs[at].percent) for loss in losses], align="right")
            for at, job in enumerate(losses[0].jobs)
        ),
    )


def _gone_columns(losses: Sequence[Loss]) -> tuple[Column, ...]:
    """Return what goes with racks and the like, and whether the rest still holds together."""
    if all(loss.domain.kind in ("switch", "link") for loss in losses):
        return ()
    return (
        Column("kind", [loss.kind for loss in losses]),
        Column("GPUs down", [loss.gone.gpus for loss in losses]),
        Column(
            "switches down", [", ".join(f"{n} {kind}" for kind, n in loss.gone.switches.items()) for loss in losses]
        ),
        Column("rails", [_numbers(loss.gone.rails) for loss in losses]),
        Column("rest joined", [loss.connected for loss in losses]),
    )


def _counts(switches: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in switches.items())


def _numbers(numbers: Sequence[int]) -> str:
    """Write rails or planes: 1-8, or 1, 5."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(str(number) for number in numbers)


def _lost(found: Impact) -> list[str | int]:
    return [
        len(found.hosts_lost) or "0",
        found.before.endpoints - found.after.endpoints,
        found.pairs_lost,
        _share(found.all_reduce_lost),
        _share(found.all_to_all_lost),
        "" if found.bisection_before is None else found.bisection_before - (found.bisection_after or 0),
    ]


def _hot(change: Change) -> Table:
    hot = change.impact.hot
    return Table(
        f"busier than a host link with the {change.kind}, in units of its load",
        (
            Column("sent from", [row.sender for row in hot]),
            Column("link", [row.link for row in hot]),
            Column("before", [row.before for row in hot]),
            Column("after", [row.after for row in hot]),
        ),
    )


def _some(names: Sequence[str]) -> str:
    return f"{names[0]} … {names[-1]}" if len(names) > 2 else ", ".join(names)


def _gigabytes(rate: float | None) -> float | None:
    return None if rate is None else rate / 1e9


def _share(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.2f} %"
