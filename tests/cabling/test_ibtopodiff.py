"""What ``ibtopodiff`` says line by line, this says once: every end that it calls wrong is concerned by a finding."""

from __future__ import annotations

import re

import pytest
from foreign import DATA

import fabrictool as ft

_MISMATCH = re.compile(r"Mismatch: port:(\w+)/P(\d+) should be connected to:(\w+)/P(\d+) but connects to:(\w+)/P(\d+)")
_CABLE = re.compile(r"Missing cable between (\w+)/P(\d+) and (\w+)/P(\d+)")


@pytest.mark.parametrize(("name", "ends"), [("faillink", 2), ("swap_isl", 4), ("swap_mixed", 4)])
def test_same_ends(name: str, ends: int) -> None:
    folder = DATA / "infiniband"
    text = (folder / f"ft2_64_{name}.ibtopodiff.txt").read_text()
    wrong = {f"{device}:{port}" for device, port, *_ in _MISMATCH.findall(text)}
    for a, i, z, j in _CABLE.findall(text):
        wrong |= {f"{a}:{i}", f"{z}:{j}"}
    wrong = {re.sub(r"^(node\d+):1$", r"\1:mlx5_0", end) for end in wrong}
    assert len(wrong) == ends
    found = ft.verify(str(folder / "ft2_64.net.gz"), str(folder / f"ft2_64_{name}.net.gz"))
    assert len(found.causes) == 1
    assert set(found.causes[0].ports) == wrong
