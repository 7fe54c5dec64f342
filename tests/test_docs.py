"""What the documents say is what the program does."""

import re

import pytest
import yaml
from documents import DOCUMENTS, ROOT, refreshed

import fabrictool as ft
from fabrictool.catalogue import types
from fabrictool.layout import model

NAMES = [path.name for path in DOCUMENTS]


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_prints_and_tables_are_those_of_this_version(path):
    """``python tests/documents.py`` brings them up to date."""
    text = path.read_text(encoding="utf-8")
    assert refreshed(text) == text


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "README.md"], ids=[*NAMES, "README.md"])
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_layouts_shown_are_valid(path):
    for text in re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        assert ft.build(ft.layout_from_tree(yaml.safe_load(text))).names


def test_every_key_has_a_meaning():
    text = (ROOT / "docs" / "layout.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\|([^|]*)\|$", text, re.MULTILINE)
    assert len(rows) > 150
    assert [key for key, meaning in rows if not meaning.strip()] == []


def test_every_part_of_a_layout_is_described():
    text = (ROOT / "docs" / "layout.md").read_text(encoding="utf-8")
    described = set(re.findall(r"<!-- keys of (\w+) -->", text))
    wrappers = {"Link", "Workload", "Failed", "Slow", "Routing", "LayoutModel"}
    parts = set(model.Layout.model_json_schema()["$defs"]) - wrappers - set(vars(types))
    assert parts <= described
