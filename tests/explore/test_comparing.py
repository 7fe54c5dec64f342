"""Comparisons: known counts side by side, and which differences are told from uncertainty."""

from pathlib import Path

import pytest

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.explore.figures import Figure, key_figures, margin

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


def scored(name, **changes):
    layout = ft.read_layout(str(TOPOLOGIES / name))
    return ft.score(layout, size="1GiB", **changes)


@pytest.fixture(scope="module")
def published():
    """SuperPODs of one and four scalable units: RA-11333-001 V11, Table 4."""
    return ft.compare([scored(f"dgx-superpod-h100-{units}su.yaml") for units in (1, 4)])


def row(comparison, name):
    return next(figure for figure in comparison.figures if figure.name == name)


@pytest.mark.parametrize(
    "name, values",
    [("hosts", (31, 127)), ("switches", (12, 48)), ("GPUs", (248, 1016)), ("links", (508, 2044))],
)
def test_counts_are_those_published_and_exact(published, name, values):
    figure = row(published, name)
    assert figure.values == values
    assert figure.certainty == ("exact",)
    (difference,) = figure.differences
    assert (difference.difference, difference.uncertainty) == (values[1] - values[0], 0)
    assert difference.verdict == "beyond"


def test_what_is_equal_is_the_same(published):
    assert row(published, "oversubscription").differences[0].verdict == "same"
    assert row(published, "effective bisection").unit == "%"
    assert row(published, "busiest link over host link").values == (1, 1)


def test_one_unit_meets_at_its_leaves_and_four_at_the_spines(published):
    assert row(published, "longest path [links]").values == (2, 4)


def test_a_missing_price_is_unknown(published):
    figure = row(published, "capex")
    assert figure.values == (None, None)
    assert figure.differences[0].verdict == "unknown"


def test_structure_holds_only_what_differs(published):
    rows = dict(published.structure)
    assert rows["leaf"] == ("8 x qm9700", "32 x qm9700")
    assert rows["spine"] == ("4 x qm9700", "16 x qm9700")
    assert rows["links leaf - spine"] == ("256 x 400G, 8 a pair", "1,024 x 400G, 2 a pair")
    assert "family" not in rows
    assert "hosts ufm" not in rows


def test_a_design_is_the_same_as_itself():
    one = scored("ft64.yaml")
    comparison = ft.compare([one, one], ["a", "b"])
    assert {figure.differences[0].verdict for figure in comparison.figures} <= {"same", "unknown"}
    assert comparison.structure == ()
    assert comparison.findings == ()
    assert comparison.beyond("b") == []
    assert [table.name for table in comparison.tables()] == ["figures"]


def test_findings_that_one_design_has():
    comparison = ft.compare([scored("ft64.yaml"), scored("dgx-superpod-h100-4su.yaml")])
    where = {finding.where: has for finding, has in comparison.findings}
    assert where["h1"] == (True, False)
    assert where["ufm-server"] == (False, True)


def test_independent_errors_add_as_squares():
    assert margin(Figure("x", "", 10, "", 3), Figure("x", "", 20, "", 4)) == 5


@pytest.mark.parametrize(
    "parts, least",
    [
        (({"switch": 30}, {"switch": 30}), 0),  # one price, one error: it does not tell the designs apart
        (({"switch": 30}, {"switch": 21}), 9),
        (({"switch": 30}, {"cable": 6}), 36),
    ],
)
def test_of_shared_errors_only_what_differs_counts(parts, least):
    first, other = (Figure("cost", "USD", 100, "", shared=shared) for shared in parts)
    assert margin(first, other) == least


def test_fewer_of_everything_costs_less_whatever_the_prices(published):
    """At 30 % on each price a smaller network of the same parts is cheaper for certain."""
    cost = row(published, "network cost")
    (difference,) = cost.differences
    assert difference.verdict == "beyond"
    assert difference.uncertainty == pytest.approx(0.3 * difference.difference)


def test_models_are_uncertain_by_what_measurements_say():
    found = {figure.name: figure for figure in key_figures(ft.score(str(TOPOLOGIES / "ft64.yaml")))}
    for size, share in (("1 GiB", 0.10), ("16 MiB", 0.50), ("1 MiB", 0.50)):
        figure = found[f"all-reduce {size} busbw"]
        assert figure.error == pytest.approx(share * figure.value)
        assert found[f"all-reduce {size} bound"].error == 0
    bisection = found["effective bisection"]
    assert 0 < bisection.error < 5


def test_three_designs_keep_the_order_of_their_rows():
    names = ("ft64.yaml", "ft256.yaml", "k-ary-8.yaml")
    comparison = ft.compare([scored(name) for name in names])
    assert [figure.name for figure in comparison.figures[:3]] == ["GPUs", "hosts", "switches"]
    assert row(comparison, "longest path [links]").values == (4, 4, 6)  # two levels and three
    assert [d.to for d in comparison.figures[0].differences] == list(comparison.titles[1:])
    assert dict(comparison.structure)["core"][:2] == (None, None)
    assert "difference of ft256" in comparison.tables()[0].to_markdown()


def test_what_cannot_be_compared():
    one = scored("ft64.yaml")
    with pytest.raises(InputError, match="give two or more"):
        ft.compare([one])
    with pytest.raises(InputError, match="two layouts are called 'ft64'"):
        ft.compare([one, one])


def test_a_fabric_without_a_layout_is_compared_by_its_counts():
    layout = ft.read_layout(str(TOPOLOGIES / "ft64.yaml"))
    comparison = ft.compare([ft.build(layout), scored("ft64.yaml")], ["bare", "scored"])
    assert row(comparison, "links").values == (128, 128)
    assert row(comparison, "racks").values == (None, 9)
    assert row(comparison, "racks").differences[0].verdict == "unknown"
    assert all(has == (False, True) for _, has in comparison.findings)
