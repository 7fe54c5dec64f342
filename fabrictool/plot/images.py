"""Figures as files: one style for all, and the same bytes from run to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabrictool.errors import InputError, Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: File name suffix, to the metadata that would otherwise hold a date or the library's version.
FORMATS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}

#: Okabe and Ito's palette without its yellow, ordered so that neighbours also differ in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#E69F00")

_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": "#222222",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "path.simplify": False,
    "savefig.dpi": 200,
    "savefig.facecolor": "white",
    "svg.hashsalt": "fabrictool",
    "xtick.color": "#555555",
    "xtick.labelcolor": "#222222",
    "ytick.color": "#555555",
    "ytick.labelcolor": "#222222",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the style of this package, whatever the user's matplotlibrc says."""
    import matplotlib
    import matplotlib.style

    with matplotlib.rc_context():
        matplotlib.style.use(["default", _STYLE])
        yield


def image_format(path: str) -> str:
    """Return the image format that a file name asks for.

    Raises
    ------
    InputError
        If its suffix is none of those that can be written.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        what = f"'.{suffix}' is no image format known here" if suffix else "has no suffix that tells the image format"
        raise InputError([Problem(path, what, f"let the name end in {', '.join(f'.{known}' for known in FORMATS)}")])
    return suffix


def page_files(figures: Sequence[Figure], path: str) -> list[tuple[str, bytes]]:
    """Return the files that hold figures, with their contents: one document, or an image for each.

    The first image bears the name given, and ``racks.png`` is followed by ``racks-2.png`` and so on.
    """
    form = image_format(path)
    if form == "pdf" and len(figures) > 1:
        return [(path, _pdf_pages(figures))]
    place = Path(path)
    names = [path, *(str(place.with_name(f"{place.stem}-{row}{place.suffix}")) for row in range(2, len(figures) + 1))]
    return [(name, image_bytes(figure, form)) for name, figure in zip(names, figures, strict=True)]


def _pdf_pages(figures: Sequence[Figure]) -> bytes:
    import io

    from matplotlib.backends.backend_pdf import PdfPages

    content = io.BytesIO()
    with house_style(), PdfPages(content, metadata=FORMATS["pdf"]) as pages:
        for figure in figures:
            pages.savefig(figure)
    return content.getvalue()


def image_bytes(figure: Figure, form: str) -> bytes:
    """Return a figure as the content of a file of a format: png, svg or pdf."""
    import io

    content = io.BytesIO()
    with house_style():
        figure.savefig(content, format=form, metadata=FORMATS[form])
    return content.getvalue()
