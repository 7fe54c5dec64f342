"""The shell scripts of a ladder: one for each step, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from fabrictool.acceptance.commands import commented, listed, program
from fabrictool.acceptance.environment import variables, visible_devices
from fabrictool.acceptance.ladder import Ladder, Run, Step
from fabrictool.acceptance.steps import token
from fabrictool.acceptance.subject import Subject

#: Runs of more hosts than these list them in a file.
INLINE = 2

LIBRARY = r"""# shellcheck shell=bash
# Shared by the scripts of the steps; bash 4.4 or later. Settings of the site stand in site.env.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=/dev/null
. ./site.env
mkdir -p logs

if [[ -z ${LAUNCHER:-} ]]; then
  if [[ -n ${SLURM_JOB_ID:-} ]]; then LAUNCHER=srun; else LAUNCHER=mpirun; fi
fi

# hosts.map: the name of each host in the layout, then the machine's own name.
declare -A ACTUAL=()
while read -r name actual _; do
  [[ -z ${name:-} || $name == \#* ]] || ACTUAL[$name]=${actual:-$name}
done < hosts.map

# Start one run: launch GPUS HOST... -- COMMAND...; site.env may define its own.
if ! declare -F launch > /dev/null; then
  launch() {
    local gpus=$1 hosts=() each
    shift
    while [[ $1 != -- ]]; do hosts+=("$1"); shift; done
    shift
    each=$(tr ',' '\n' <<< "$gpus" | wc -l)
    local ranks=$((each * ${#hosts[@]})) file
    file=$(mktemp)
    if [[ $LAUNCHER == srun ]]; then
      printf '%s\n' "${hosts[@]}" > "$file"
      # shellcheck disable=SC2086
      srun ${SRUN_ARGS:-} --nodes=${#hosts[@]} --ntasks=$ranks --ntasks-per-node="$each" --nodelist="$file" "$@"
    else
      printf "%s slots=$each\n" "${hosts[@]}" > "$file"
      # shellcheck disable=SC2086
      mpirun ${MPIRUN_ARGS:-} -np $ranks --hostfile "$file" --map-by "ppr:$each:node" --bind-to none "$@"
    fi
    local status=$?
    rm -f "$file"
    return $status
  }
fi

# Measure one run into logs/NAME.log, which appears when the run has ended: measure NAME GPUS HOST... -- COMMAND...
measure() {
  local name=$1 gpus=$2 hosts=() status=0
  shift 2
  while [[ $1 != -- ]]; do hosts+=("${ACTUAL[$1]:-$1}"); shift; done
  shift
  local settings=("${SITE_VARIABLES[@]}" "${VARIABLES[@]}")
  if [[ $gpus != "$ALL_GPUS" ]]; then settings+=("$VISIBLE=$gpus"); fi
  local command=("${NCCL_TESTS:+$NCCL_TESTS/}$1" "${@:2}")
  echo "# ${settings[*]} ${command[*]}" > "logs/$name.part"
  (set +e; launch "$gpus" "${hosts[@]}" -- env "${settings[@]}" "${command[@]}") \
    >> "logs/$name.part" 2>&1 < /dev/null || status=$?
  echo "# exit status $status" >> "logs/$name.part"
  mv "logs/$name.part" "logs/$name.log"
  if [[ $status == 0 ]]; then echo "done    $name"; else echo "FAILED  $name (logs/$name.log)"; fi
}

# Measure the runs on stdin together, JOBS at a time: lines of NAME GPUS HOST..., or NAME GPUS @FILE of hosts.
round() {
  local name gpus hosts list
  while read -r name gpus hosts; do
    if [[ -e logs/$name.log && -z ${FORCE:-} ]]; then echo "there   $name"; continue; fi
    if [[ $hosts == @* ]]; then hosts=$(tr '\n' ' ' < "${hosts#@}"); fi
    read -ra list <<< "$hosts"
    while (( $(jobs -rp | wc -l) >= ${JOBS:-64} )); do wait -n || true; done
    measure "$name" "$gpus" "${list[@]}" -- "$@" &
  done
  wait
}
"""

SITE = r"""# shellcheck shell=bash disable=SC2034
# Settings of this site, read by every script. Nothing here is needed where the defaults fit.

# Where all_reduce_perf and alltoall_perf are (nccl-tests or rccl-tests, built with MPI=1); empty: in the PATH.
NCCL_TESTS=${NCCL_TESTS:-}

# srun or mpirun; empty: srun inside a Slurm job, else mpirun (Open MPI).
LAUNCHER=${LAUNCHER:-}
MPIRUN_ARGS=${MPIRUN_ARGS:-}   # such as: --mca pml ob1 --mca btl tcp,self --mca btl_tcp_if_include eth0
SRUN_ARGS=${SRUN_ARGS:-}       # such as: --mpi=pmix --exact

# Runs that start together, at most.
JOBS=${JOBS:-64}

# Variables of the site's own network, passed to every run.
SITE_VARIABLES=(
  ${LD_LIBRARY_PATH:+"LD_LIBRARY_PATH=$LD_LIBRARY_PATH"}
  # NCCL_SOCKET_IFNAME=eth0     # the interface for set-up, never a compute adapter
  # NCCL_IB_HCA==mlx5_0,mlx5_1  # exactly the compute adapters; with one listed of eight all stops at one adapter's rate
  # NCCL_IB_GID_INDEX=3         # RoCE v2
  # NCCL_MIN_CTAS=24            # 8 hosts of 8 H100 reached 391 GB/s so, with 2 queue pairs, and 320 without
)
"""


def script(ladder: Ladder, step: Step, number: int, minutes: float) -> str:
    """Return the script of a step."""
    subject = ladder.subject
    rounds = len(step.rounds)
    lines = [
        "#!/usr/bin/env bash",
        f"# Step {number} of {len(ladder.steps)}, {step.title}: {len(step.runs):,} runs in {rounds} "
        f"round{'s' * (rounds > 1)}, about {minutes:.0f} min.",
        f"# Asks about {step.asks}.",
        "# Logs that are there are kept, so an interrupted step goes on where it was; FORCE=1 measures again.",
        f"# shellcheck disable=SC2034{',SC1091'}",
        '. "$(dirname "$0")/lib.sh"',
        "",
        *setup(subject, step),
    ]
    for count, runs in enumerate(step.rounds, 1):
        lines.append(f"\necho 'step {step.name}, round {count} of {rounds}'")
        for command, group in groupby(runs, key=program):
            lines += [f"round {' '.join(command)} <<'RUNS'", *(row(subject, run) for run in group), "RUNS"]
    return "\n".join(lines) + "\n"


def setup(subject: Subject, step: Step) -> list[str]:
    """Return the lines of a script that say which GPUs and variables its runs use."""
    return [
        f"VISIBLE={visible_devices(subject)}",
        f"ALL_GPUS={listed(range(int(subject.gpus.max())))}",
        "VARIABLES=(",
        commented(variables(subject, step)),
        ")",
    ]


def row(subject: Subject, run: Run) -> str:
    """Return the line of a run: its name, its GPUs, and its hosts or the file that lists them."""
    hosts = " ".join(token(subject.names[host]) for host in run.hosts)
    return f"{run.name} {listed(run.gpus)} {hosts if len(run.hosts) <= INLINE else f'@hosts/{run.name}.txt'}"


def host_files(subject: Subject, runs: tuple[Run, ...]) -> dict[str, str]:
    """Return the files of runs that list their hosts, one a line, by path."""
    return {
        f"hosts/{run.name}.txt": "".join(f"{token(subject.names[host])}\n" for host in run.hosts)
        for run in runs
        if len(run.hosts) > INLINE
    }


def host_map(subject: Subject) -> str:
    """Return the file that says which machine each host of the layout is."""
    head = "# Host of the layout, then the machine's own name; change the second column where they differ.\n"
    return head + "".join(f"{token(name)} {token(name.split()[0])}\n" for name in subject.names)


def next_script(subject: Subject, runs: Sequence[Run]) -> str:
    """Return the script of probes that come next: of each kind all at once."""
    lines = [
        "#!/usr/bin/env bash",
        f"# {len(runs):,} runs that tell the suspects apart; ask for the verdict again when they are done.",
        "# shellcheck disable=SC2034,SC1091",
        '. "$(dirname "$0")/lib.sh"',
    ]
    for _, kind in groupby(sorted(runs, key=_kind), key=_kind):
        probes = tuple(kind)
        lines += ["", *setup(subject, Step("probe", "", "", probes))]
        lines += [f"round {' '.join(program(probes[0]))} <<'RUNS'", *(row(subject, run) for run in probes), "RUNS"]
    return "\n".join(lines) + "\n"


def _kind(run: Run) -> tuple[bool, list[str]]:
    return not run.pxn, program(run)
