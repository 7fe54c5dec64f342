"""What a job asks of NCCL, in the words of layouts, and clear refusals of what the library does not have."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabrictool.collectives.nccl.choice import COLLECTIVES, Combination, combinations
from fabrictool.collectives.nccl.system import System
from fabrictool.collectives.nccl.tables import PROTOCOLS
from fabrictool.errors import InputError, Problem, one_of

#: The library's algorithms by the names that layouts use; its own names are taken too.
NAMES: dict[str, tuple[str, ...]] = {
    "ring": ("ring",),
    "double-binary-tree": ("tree",),
    "tree": ("tree",),
    "nvls": ("nvls",),
    "nvls-tree": ("nvls-tree",),
    "sharp": ("collnet-direct", "collnet-chain", "nvls"),
    "collnet-direct": ("collnet-direct",),
    "collnet-chain": ("collnet-chain",),
    "pat": ("pat",),
}
OTHER_MODELS = "rounds, fluid, loggp, alpha-beta or bound"


@dataclass(frozen=True, slots=True)
class Asked:
    """A collective, and an algorithm and a protocol where they are stated; ``path`` is where the job stands."""

    collective: str
    algorithm: str | None = None
    protocol: str | None = None
    path: tuple[str | int, ...] = ()


def check(asked: Asked) -> None:
    """Refuse what the library does not have on any system.

    Raises
    ------
    InputError
        Naming what could be asked for.
    """
    if asked.collective not in COLLECTIVES:
        known = ", ".join(COLLECTIVES)
        what = f"NCCL's tuning model knows {known}, not {asked.collective}"
        raise _refused(asked, "model", what, f"use the model {OTHER_MODELS}")
    if asked.algorithm is not None and asked.algorithm not in ("auto", *NAMES):
        what = f"NCCL has no algorithm '{asked.algorithm}'"
        raise _refused(asked, "algorithm", what, f"{one_of(asked.algorithm, NAMES)}, or leave it out")
    if asked.protocol is not None and asked.protocol not in PROTOCOLS:
        what = f"NCCL has no protocol '{asked.protocol}'"
        raise _refused(asked, "protocol", what, f"{one_of(asked.protocol, PROTOCOLS)}, or leave it out")


def among(system: System, asked: Asked) -> tuple[Combination, ...]:
    """Return what the library may choose from for a job.

    Raises
    ------
    InputError
        If what is asked for is not to be had on this system, naming what is.
    """
    check(asked)
    reducing = asked.algorithm in ("sharp", "collnet-direct", "collnet-chain")
    available = combinations(replace(system, collnet=reducing), asked.collective)
    wanted = NAMES.get(asked.algorithm or "auto")
    found = tuple(
        one
        for one in available
        if (wanted is None or one.algorithm in wanted) and asked.protocol in (None, one.protocol)
    )
    if not found:
        words = "/".join(word for word in (asked.algorithm, asked.protocol) if word)
        key = "algorithm" if asked.algorithm else "protocol"
        what = f"NCCL has no {words} for {asked.collective} over {system.ranks} ranks on {_place(system)}"
        raise _refused(asked, key, what, f"use one of {', '.join(str(one) for one in available)}")
    return found


def _place(system: System) -> str:
    hosts = "one host" if system.hosts == 1 else f"{system.hosts} hosts"
    return f"{hosts} of {system.gpu} GPUs"


def _refused(asked: Asked, key: str, what: str, fix: str) -> InputError:
    where, path = ("", (*asked.path, key)) if asked.path else (f"--{key}", ())
    return InputError([Problem(where, what, fix, path)])
