"""Pattern files: read, written, and refused with the line of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrictool.errors import InputError
from fabrictool.formats.pattern_csv import PatternRow, read_pattern, write_pattern

WORDS = st.text("abcxyz0189-:_", min_size=1, max_size=8)


def _written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "p.csv"
    path.write_text(text)
    return str(path)


def test_all_columns(tmp_path: Path) -> None:
    text = "source,destination,volume,group,key,path\na,b,2.5,g1,0a0b,a:1 s:3\n\nb,a,,g2,,\n"
    assert read_pattern(_written(tmp_path, text)) == [
        PatternRow(2, "a", "b", 2.5, "g1", bytes([10, 11]), ("a:1", "s:3")),
        PatternRow(4, "b", "a", 1.0, "g2"),
    ]


def test_other_names_of_columns_and_separators(tmp_path: Path) -> None:
    assert read_pattern(_written(tmp_path, "src;dst;bytes\na;b;7\n")) == [PatternRow(2, "a", "b", 7.0)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source,destination,source\na,b,c\n", ":1:1: column source stands twice; keep one of each"),
        ("source,volume\na,1\n", ":1:1: column destination is missing"),
        ("source,destination\n", ":1:1: holds no flow"),
        ("source,destination\na,\n", ":2:1: an end of the flow is missing"),
        ("source,destination,volume\na,b,-1\n", ":2:1: volume '-1' is not a number from 0 to 1e30"),
        ("source,destination,volume\na,b,nan\n", ":2:1: volume 'nan'"),
        ("source,destination,volume\na,b,1e99\n", ":2:1: volume '1e99'"),
        ("source,destination,volume\na,b,ten\n", ":2:1: volume 'ten'"),
        ("source,destination,key\na,b,0g\n", ":2:1: key '0g' is not hexadecimal"),
        ("source,destination,volume\na,b\n", ":2:1: the row has 2 cells, the header 3"),
        ('source,destination\n"a,b\n', ":2:1: this row cannot be read"),
    ],
)
def test_what_is_wrong_has_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_pattern(_written(tmp_path, text))
    assert said in str(error.value)
    assert "; " in str(error.value)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_pattern(_written(tmp_path, "source,destination,volume\na,b,x\n,b,1\nb,c,y\n"))
    assert [problem.where.rsplit(":", 2)[1] for problem in error.value.problems] == ["2", "3", "4"]


@given(
    st.lists(
        st.builds(
            PatternRow,
            st.just(0),
            WORDS,
            WORDS,
            st.floats(0, 1e20, allow_nan=False),
            st.sampled_from(["", "one", "two"]),
            st.binary(max_size=6),
            st.lists(WORDS, max_size=3).map(tuple),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_written_rows_are_read_again(rows: list[PatternRow]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = read_pattern(_written(Path(folder), write_pattern(rows)))
    assert [(r.source, r.destination, r.volume, r.group, r.key, r.path) for r in found] == [
        (r.source, r.destination, r.volume, r.group, r.key, r.path) for r in rows
    ]
