"""What models of collective communication take from a host type."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fabrictool.catalogue.fields import Model, Throughput, Time


class Nccl(Model):
    """What NCCL knows of a host, where it is not to be derived: GPU generation, CPU, and the channels it finds.

    ``channels`` of ``intra`` inside the host and ``inter`` between hosts, each, belong together.
    """

    gpu: Literal["volta", "ampere", "hopper", "blackwell"] | None = None
    cpu: Literal["intel", "amd", "arm", "power", "mixed"] | None = None
    channels: Annotated[int, Field(strict=True, ge=1, le=64)] | None = None
    intra_bytes_per_s: Throughput | None = Field(None, alias="intra")
    inter_bytes_per_s: Throughput | None = Field(None, alias="inter")

    @model_validator(mode="after")
    def _channels_have_speeds(self) -> Nccl:
        given = [self.channels, self.intra_bytes_per_s, self.inter_bytes_per_s]
        if any(given) and not all(given):
            raise ValueError("channels, intra and inter belong together; give all three, or none to have them derived")
        return self


class LogGP(Model):
    """What a message costs a host in the model LogGP: at each end, and from one to the next."""

    overhead_s: Time | None = Field(None, alias="overhead")
    gap_s: Time | None = Field(None, alias="gap")
