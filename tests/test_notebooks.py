"""Every notebook runs to its end, and what is stored in it says nothing about the machine."""

import re

import nbformat
import pytest
from notebook_runs import NOTEBOOKS, executed

NAMES = [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_runs_without_errors_and_warnings(path):
    notebook = executed(path)
    streams = [out for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
    assert not [out.text for out in streams if "Warning" in out.text]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_stored_outputs_are_there_and_free_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    text = path.read_text()
    assert not re.search(r"/home/|/work/|/root/|/tmp/|Traceback", text)
    assert path.stat().st_size < 1_000_000


def test_there_are_notebooks():
    assert NOTEBOOKS
