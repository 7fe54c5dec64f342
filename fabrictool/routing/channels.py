"""Channels: each link in both directions, and the scale-up port of each GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults
from fabrictool.fabric.tables import F8, I4


@dataclass(frozen=True)
class Channels:
    """Speed in bit/s and latency in s of each channel: links up and down, then scale-up out and in.

    Channel 2 i is link i from its lower end up, 2 i + 1 the same link back. The speed of a link that is
    down is 0.
    """

    speed_bps: F8
    latency_s: F8
    links: int

    def __len__(self) -> int:
        return len(self.speed_bps)


def channels(fabric: Fabric, faults: Faults | None = None) -> Channels:
    """Return the channels of a fabric; a channel's latency includes the device that it leads to."""
    a, z = fabric.ends
    own = fabric.devices.latency_s
    link = fabric.links.latency_s
    latency = np.column_stack((link + own[z], link + own[a])).ravel()
    scale_up = fabric.gpus
    speed = fabric.links.speed_bps
    if faults is not None:
        speed = np.where(faults.links.dead, 0.0, speed * faults.links.factor)
    return Channels(
        np.concatenate((np.repeat(speed, 2), np.repeat(scale_up.scale_up_bps, 2))),
        np.concatenate((latency, np.repeat(scale_up.scale_up_latency_s, 2))),
        len(fabric.links),
    )


def no_faster(channels: Channels, link_bps: F8) -> Channels:
    """Return channels whose links are no faster than ``link_bps``, (links,), either way."""
    speed = channels.speed_bps.copy()
    np.minimum(speed[: 2 * channels.links], np.repeat(link_bps, 2), out=speed[: 2 * channels.links])
    return replace(channels, speed_bps=speed)


def sending_ports(fabric: Fabric) -> I4:
    """Return the port that each link channel is sent from, (2 links,)."""
    ports: I4 = np.column_stack((fabric.links.port_a, fabric.links.port_z)).ravel()
    return ports


def channel_name(fabric: Fabric, channel: int) -> str:
    """Return what a channel is: both ends of its link, or the scale-up port of its GPU."""
    links = len(fabric.links)
    if channel < 2 * links:
        return fabric.link_name(channel // 2)
    gpu = (channel - 2 * links) // 2
    return f"{fabric.names[fabric.gpus.host[gpu]]} gpu {fabric.gpus.index[gpu]} scale-up"
