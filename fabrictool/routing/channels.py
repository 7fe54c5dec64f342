"""Channels: each link in both directions, and the scale-up port of each GPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import F8


@dataclass(frozen=True)
class Channels:
    """Speed in bit/s and latency in s of each channel: links up and down, then scale-up out and in."""

    speed_bps: F8
    latency_s: F8
    links: int

    def __len__(self) -> int:
        return len(self.speed_bps)


def channels(fabric: Fabric) -> Channels:
    """Return the channels of a fabric; a channel's latency includes the device that it leads to."""
    a, z = fabric.ends
    own = fabric.devices.latency_s
    link = fabric.links.latency_s
    latency = np.column_stack((link + own[z], link + own[a])).ravel()
    scale_up = fabric.gpus
    return Channels(
        np.concatenate((np.repeat(fabric.links.speed_bps, 2), np.repeat(scale_up.scale_up_bps, 2))),
        np.concatenate((latency, np.repeat(scale_up.scale_up_latency_s, 2))),
        len(fabric.links),
    )


def channel_name(fabric: Fabric, channel: int) -> str:
    """Return what a channel is: both ends of its link, or the scale-up port of its GPU."""
    links = len(fabric.links)
    if channel < 2 * links:
        return fabric.link_name(channel // 2)
    gpu = (channel - 2 * links) // 2
    return f"{fabric.names[fabric.gpus.host[gpu]]} gpu {fabric.gpus.index[gpu]} scale-up"
