"""The figure: what is on it, and that it is the same from run to run."""

from itertools import pairwise
from pathlib import Path

import pytest

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.plot.busbw import _spread, busbw_figure
from fabrictool.plot.images import FORMATS, image_bytes, image_format

SUPERPOD = Path(__file__).parents[2] / "topologies" / "dgx-superpod-h100-4su.yaml"
MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.fixture(scope="module")
def figure():
    return busbw_figure(ft.read_layout(str(SUPERPOD)), ranks=64)


def words(figure):
    return [text.get_text() for text in (*figure.texts, *figure.axes[0].texts)]


def test_title_subtitle_and_ends_say_what_is_drawn(figure):
    title, subtitle, *ends = words(figure)
    assert title == "superpod-h100-4su"
    assert subtitle == "64 of 1,016 GPUs · InfiniBand 400G rail-optimized · routing d-mod-k · model rounds"
    assert [ends[0], ends[2]] == ["all-reduce, hierarchical", "all-to-all, pairwise"]
    assert all("limited by" in text for text in ends[1::2])


def test_a_title_is_taken_literally():
    title = "cost $5 to $7 <&> a_b"
    figure = busbw_figure(ft.read_layout(str(SUPERPOD)), ["all-reduce"], ranks=64, title=title)
    assert words(figure)[0] == title
    assert image_bytes(figure, "svg").startswith(MAGIC["svg"])


def test_an_evaluation_gives_the_figure_of_its_layout(figure):
    evaluation = ft.score(str(SUPERPOD), collective="all-reduce", ranks=64)
    assert image_bytes(busbw_figure(evaluation, ranks=64), "svg") == image_bytes(figure, "svg")


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_figure_is_the_same_file(figure, form):
    first = image_bytes(figure, form)
    assert first.startswith(MAGIC[form])
    assert image_bytes(busbw_figure(ft.read_layout(str(SUPERPOD)), ranks=64), form) == first


def test_a_user_s_own_style_changes_nothing(figure):
    import matplotlib

    before = image_bytes(figure, "svg")
    with matplotlib.rc_context({"lines.linewidth": 9, "svg.hashsalt": "other", "font.size": 30}):
        other = busbw_figure(ft.read_layout(str(SUPERPOD)), ranks=64)
        assert image_bytes(other, "svg") == before


@pytest.mark.parametrize("path, form", [("a.png", "png"), ("a.b.SVG", "svg"), ("dir.png/x.pdf", "pdf")])
def test_the_suffix_chooses_the_format(path, form):
    assert image_format(path) == form


@pytest.mark.parametrize("path", ["a.gif", "a", "a.", ".png/a", "-"])
def test_other_suffixes_are_refused(path):
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        image_format(path)


@pytest.mark.parametrize("places", [[0.9, 0.9, 0.9], [0.0, 0.01], [0.5], [0.99, 0.0, 0.5], [0.3] * 12])
def test_labels_keep_apart_in_the_order_of_their_lines(places):
    at = _spread(places, gap=0.1, low=0.1, high=0.9)
    inside = sorted(at)
    gap = min(0.1, 0.8 / max(1, len(places) - 1))
    assert all(b - a >= gap - 1e-12 for a, b in pairwise(inside))
    assert 0.1 - 1e-12 <= inside[0] <= inside[-1] <= 0.9 + 1e-12
    order = sorted(range(len(places)), key=lambda row: places[row])
    assert sorted(order, key=lambda row: at[row]) == order
