"""The plan in words, for those who measure: one markdown page."""

from __future__ import annotations

from collections.abc import Iterator

from fabrictool.acceptance.commands import typed
from fabrictool.acceptance.environment import variables
from fabrictool.acceptance.expecting import Expected
from fabrictool.acceptance.ladder import Run, Step
from fabrictool.acceptance.plan import Plan
from fabrictool.units import format_size

#: What to do when a step fails, by step.
IF_FAILED = {
    "host": "a host below its peers: look at its GPUs, NVLink and NVLink switches (`nvidia-smi nvlink -e`, fabric "
    "manager), clocks and power caps, and leave it out of the steps that follow.",
    "domain": "a domain below its peers while its hosts pass alone: look at the cables and switches between its hosts.",
    "pair": "each host meets two others. Slow with both: the host, one of its adapters, cables or leaf ports. Slow "
    "with one: the other host. The same pair GPU by GPU then tells which rail.",
    "leaf": "a leaf below its peers while the pairs under it pass: the switch itself (buffers, firmware, credits), or "
    "a host link that only fills with many hosts. Measure its halves.",
    "uplink": "slow with both partners: an uplink of the host's own leaf, or the spine behind it. Slow with one: the "
    "partner's leaf. Then GPU by GPU, and with hosts of the same leaf that use other uplinks.",
    "across": "all of this goes over the spines: slow with both partners means an uplink or a spine that both share.",
    "rail": "a rail below its peers while its leaves pass: the spines or the uplinks of that rail.",
    "unit": "a unit below its peers: measure its halves, and halves of the half that fails. If both pass, it is what "
    "joins them.",
    "hall": "and every step before passes: all-to-all alone means oversubscription, routing or hash collisions; "
    "all-reduce alone means rank order (hosts of a leaf are not neighbours). Measure halves.",
}
_SHOWN = 6
_START = """\
1. Build nccl-tests (AMD: rccl-tests) with `MPI=1` on a path that all hosts see, and set it in `site.env`.
2. Where machines are called otherwise than in the layout, write their names into `hosts.map`.
   GPU i here is the i-th device of CUDA or HIP; check that it sits beside the adapter of its rail
   (`nvidia-smi topo -m`).
3. On an idle fabric run the steps in order, inside a Slurm allocation of all hosts, or else with `mpirun`:

   ```sh
{scripts}
   ```

4. After each step, or at any time, `fabrictool score LAYOUT --expect DIRECTORY --measured DIRECTORY/logs` says which
   runs pass and which part is suspected, and writes `next.sh` with the runs that tell the suspects apart; run that, and
   ask again. Once the part is mended, measure its step again: `FORCE=1 bash` and the script.
"""
_JUDGING = """\
## How it is judged

- A step fails if its usual (median) run is below its gate: 1 healthy cluster in 200 is. The 80 % range says where
  healthy clusters lie.
- A run fails below its peers: under the usual run of its step by more than 5 %, and by more than chance allows once in
  200 healthy steps, however many runs they have. Peers share what is special about the cluster, so this is sharper.
  What is less than 20 % below is measured once more by itself, and passes if it is not slow again.
- Steps of one run are held against their gate, and against what the steps before promise, by 25 %.
- Wrong results (`#wrong`) fail, and so do logs without results.
- Runs of a round go at the same time; what is expected of them counts what they take from each other.

What is expected rests on:
"""


def readme(plan: Plan) -> str:
    """Return the page."""
    return "\n".join([*_head(plan), *_overview(plan), *_steps(plan), _JUDGING, *_assumptions(plan)]) + "\n"


def _head(plan: Plan) -> Iterator[str]:
    subject, steps = plan.subject, plan.ladder.steps
    minutes = sum(plan.minutes(step) for step in steps)
    yield f"# Acceptance of {subject.name}\n"
    yield (
        f"{len(subject.names):,} hosts, {int(subject.gpus.sum()):,} GPUs, network {subject.transport.name}, routed by "
        f"{subject.transport.routing.name}: {sum(len(step.runs) for step in steps):,} runs in {len(steps)} steps, "
        f"about {minutes:.0f} minutes.\n"
    )
    scripts = "\n".join(f"   bash {number}-{step.name}.sh" for number, step in enumerate(steps, 1))
    yield _START.format(scripts=scripts)


def _overview(plan: Plan) -> Iterator[str]:
    yield "| step | asks about | runs, rounds | min | measures | largest | expected busbw GB/s (80 %) | gate |"
    yield "|---|---|--:|--:|---|--:|--:|--:|"
    for number, step in enumerate(plan.ladder.steps, 1):
        count = f"{len(step.runs):,}, {len(step.rounds)}"
        lead = f"{number} {step.name} | {step.asks} | {count} | {plan.minutes(step):.0f}"
        for run in plan.kinds(step):
            last = plan.of(run)[-1]
            size, limits = format_size(last.nbytes), f"{_range(last)} | {_gb(last.gate_bytes_per_s)}"
            yield f"| {lead} | {run.test}, {len(run.hosts):,} x {len(run.gpus)} GPUs | {size} | {limits} |"
            lead = " | | | "
    yield ""
    yield from (f"No step for {title}: {why}." for title, why in plan.ladder.left_out)
    links = [plan.subject.fabric.link_name(link) for link in plan.not_filled[:_SHOWN].tolist()]
    if links:
        more = ", …" if len(plan.not_filled) > _SHOWN else ""
        count = f"{len(plan.not_filled):,} of {len(plan.own_links):,}"
        yield f"\n{count} links are filled by no run: {', '.join(links)}{more}."
        yield "They carry service hosts, are spare, or are reached by no traffic of this routing: check their counters."
    yield ""


def _steps(plan: Plan) -> Iterator[str]:
    for number, step in enumerate(plan.ladder.steps, 1):
        yield f"## {number} {step.title}\n"
        yield f"`bash {number}-{step.name}.sh` writes `logs/{step.name}.*.log`. It asks about {step.asks}.\n"
        yield from (f"- `{one.name}={one.value}`: {one.why}" for one in variables(plan.subject, step))
        yield ""
        for run in plan.kinds(step):
            yield from _kind(plan, step, run)
        yield f"If it fails: {IF_FAILED[step.name.rstrip('0123456789')]}\n"


def _kind(plan: Plan, step: Step, run: Run) -> Iterator[str]:
    yield f"`{run.name}` as one would type it:\n"
    yield "```sh"
    yield typed(plan.subject, step, run, "mpirun")
    yield typed(plan.subject, step, run, "srun")
    yield "```\n"
    yield "| size | expected busbw GB/s | 80 % range | gate |"
    yield "|--:|--:|--:|--:|"
    for each in plan.of(run):
        row = (format_size(each.nbytes), _gb(each.busbw_bytes_per_s), _range(each), _gb(each.gate_bytes_per_s))
        yield f"| {' | '.join(row)} |"
    yield ""


def _assumptions(plan: Plan) -> Iterator[str]:
    return (f"- {row.what}: {row.value} ({row.source})" for row in plan.expected.assumptions)


def _gb(value: float) -> str:
    return f"{value / 1e9:.4g}"


def _range(expected: Expected) -> str:
    return f"{_gb(expected.low_bytes_per_s)} to {_gb(expected.high_bytes_per_s)}"
