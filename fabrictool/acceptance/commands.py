"""Command lines of nccl-tests: what a run starts, as the scripts do it and as one would type it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fabrictool.acceptance.environment import Variable, variables, visible_devices
from fabrictool.acceptance.expecting import sizes_of
from fabrictool.acceptance.ladder import PROGRAMS, Run, Step
from fabrictool.acceptance.steps import token
from fabrictool.acceptance.subject import Subject

ITERATIONS, WARM_UP = 20, 5
_STEPS = ((2**30, "G"), (2**20, "M"), (2**10, "K"), (1, ""))


def program(run: Run) -> list[str]:
    """Return the program of nccl-tests and its options: sizes that double, one GPU a rank."""
    sizes = sizes_of(run)
    low, high = _size(sizes[0]), _size(sizes[-1])
    options = ["-b", low, "-e", high, "-f", "2", "-n", str(ITERATIONS), "-w", str(WARM_UP), "-g", "1"]
    return [PROGRAMS[run.test], *options]


def _size(nbytes: float) -> str:
    factor, unit = next(step for step in _STEPS if nbytes % step[0] == 0)
    return f"{int(nbytes // factor)}{unit}"


def typed(subject: Subject, step: Step, run: Run, launcher: str) -> str:
    """Return a run as one would type it with ``mpirun`` (Open MPI) or ``srun``."""
    each, hosts = len(run.gpus), [token(subject.names[host]) for host in run.hosts]
    if launcher == "srun":
        words = ["srun", f"--nodes={len(hosts)}", f"--ntasks={run.ranks}", f"--ntasks-per-node={each}",
                 f"--nodelist={_listed(hosts, '')}"]  # fmt: skip
    else:
        words = ["mpirun", "-np", str(run.ranks), "--host", _listed(hosts, f":{each}"), "--map-by", f"ppr:{each}:node",
                 "--bind-to", "none"]  # fmt: skip
    chosen = [f"{visible_devices(subject)}={listed(run.gpus)}"] if each < int(subject.gpus.max()) else []
    settings = [f"{one.name}={one.value}" for one in variables(subject, step)]
    return " ".join([*(shlex.quote(word) for word in (*words, "env", *settings, *chosen)), *program(run)])


def _listed(hosts: Sequence[str], slots: str) -> str:
    shown = hosts if len(hosts) <= 4 else [*hosts[:2], "…", hosts[-1]]
    return ",".join(name + slots if name != "…" else name for name in shown)


def listed(gpus: Sequence[int]) -> str:
    """Return GPUs as the variables of CUDA and HIP list them."""
    return ",".join(str(gpu) for gpu in gpus)


def commented(settings: Sequence[Variable]) -> str:
    """Return variables as lines of a bash array, with their reasons."""
    width = max((len(one.name) + len(one.value) + 1 for one in settings), default=0)
    return "\n".join(f"  {f'{one.name}={one.value}':<{width}}  # {one.why}" for one in settings)
