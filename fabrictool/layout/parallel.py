"""How a training job splits its ranks into groups, as frameworks number them."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from fabrictool.catalogue.fields import Count, CountOrNone, Model

Over = Literal["tensor", "context", "expert", "data", "pipeline", "expert-tensor", "expert-data"]
#: Short names of the kinds of groups in an order.
SHORT = {"tp": "tensor", "cp": "context", "ep": "expert", "dp": "data", "pp": "pipeline"}
#: Kinds of groups of layers with experts, which other layers do not have, with the name of the axis of each.
OF_EXPERTS = {"expert": "expert", "expert-tensor": "tensor", "expert-data": "data"}
#: The order of Megatron-LM: ranks of a tensor group follow each other, pipeline stages lie farthest apart.
ORDER = "tp-cp-ep-dp-pp"


class Parallel(Model):
    """Sizes of a job's groups; ``data`` is what is left of the ranks unless it is given.

    References
    ----------
    NVIDIA Megatron-LM, megatron/core/parallel_state.py: ``RankGenerator``, ``initialize_model_parallel``.
    """

    tensor: Count = 1
    context: Count = 1
    expert: Count = 1
    expert_tensor: Count | None = None
    data: Count | None = None
    pipeline: Count = 1
    order: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]{2})*$")] = ORDER

    def axes(self, of_experts: bool, ranks: int) -> dict[str, int]:
        """Return the sizes by name, the fastest counting first.

        Parameters
        ----------
        of_experts : bool
            Of layers with experts, whose groups take the place of data and context.
        ranks : int
            Of the job.

        Raises
        ------
        ValueError
            If sizes do not fill the ranks, or the order does not name each kind once.
        """
        words = self.order.split("-")
        if sorted(words) != sorted(SHORT):
            raise ValueError(
                f"order '{self.order}' does not name each of {', '.join(SHORT)} once; write it like {ORDER}"
            )
        dense = {"tensor": self.tensor, "context": self.context, "pipeline": self.pipeline}
        if self.data is not None and prod(dense.values()) * self.data != ranks:
            raise ValueError(_not_filled(dense | {"data": self.data}, "is not", ranks))
        sizes = {"context": 1, "expert": 1} | dense
        if of_experts:
            sizes |= {"tensor": self.expert_tensor or self.tensor, "context": 1, "expert": self.expert}
        if ranks % prod(sizes.values()):
            raise ValueError(_not_filled(sizes, "does not divide", ranks))
        sizes["data"] = ranks // prod(sizes.values())
        return {SHORT[word]: sizes[SHORT[word]] for word in words}


def _not_filled(sizes: dict[str, int], verb: str, ranks: int) -> str:
    several = {name: size for name, size in sizes.items() if size > 1}
    words = " x ".join(f"{name} {size:,}" for name, size in several.items())
    words += f" = {prod(several.values()):,}" if len(several) > 1 else ""
    return f"{words} {verb} the job's {ranks:,} ranks; change a size, or the number of ranks"


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


#: What a collective runs over: one kind of group, or several kinds joined.
OverList = Annotated[
    list[Over],
    BeforeValidator(_one_or_list, json_schema_input_type=Over | list[Over]),
    Field(min_length=1, max_length=4),
]
#: Groups by the ranks of each, places in the job's rank list.
GroupList = Annotated[list[Annotated[list[CountOrNone], Field(min_length=1)]], Field(min_length=1, max_length=65_536)]
