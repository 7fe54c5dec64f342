"""Layout files: from text to a checked Layout, with all errors at once."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.layout.source import STDIN, Path_, Source, checked_size, parse, read_bytes

if TYPE_CHECKING:
    from pydantic import BaseModel

    from fabrictool.layout.model import Layout


def read_layout(path: str | PathLike[str]) -> Layout:
    """Read and check a layout file.

    Parameters
    ----------
    path : str or path
        File name, or ``-`` for standard input.

    Returns
    -------
    Layout
        In SI units, knowing the places of its keys.

    Raises
    ------
    InputError
        With every error of the file, each as ``file:line:column: what; what to do``.
    """
    name, content = read_bytes(fspath(path))
    return with_lock(layout_from_bytes(name, content))


def with_lock(layout: Layout) -> Layout:
    """Give a layout that was read from a file the lock beside it, if there is one, and return it.

    Raises
    ------
    InputError
        If the lock is broken, or that of another layout.
    """
    from fabrictool.locks.reading import lock_beside

    if layout.source is not None and layout.source.name != STDIN:
        layout.remember_lock(lock_beside(layout.source.name, layout.name))
    return layout


def layout_from_bytes(name: str, content: bytes) -> Layout:
    """Check a layout given as bytes; ``name`` stands for the file in messages."""
    tree, source = parse(name, checked_size(name, content))
    if not isinstance(tree, dict):
        what = f"is a {'list' if isinstance(tree, list) else 'single value'}, not a layout"
        raise InputError([Problem(f"{name}:1:1", what, "a layout starts with 'name: …'")])
    return layout_from_tree(tree, source)


def layout_from_tree(tree: dict[str, Any], source: Source | None = None) -> Layout:
    """Check a layout given as plain values, as in a notebook.

    Raises
    ------
    InputError
        With every error.
    """
    from pydantic import ValidationError

    from fabrictool.layout.checks import cross_checks
    from fabrictool.layout.model import Layout

    source = source or Source("layout")
    try:
        layout = Layout.model_validate(tree)
    except ValidationError as error:
        problems = [_problem(detail, source, Layout) for detail in error.errors(include_url=False)]
        raise InputError(sorted(set(problems), key=_order)) from None
    problems = [source.locate(problem) for problem in cross_checks(layout)]
    if problems:
        raise InputError(sorted(problems, key=_order))
    layout.remember_source(source)
    return layout


def _order(problem: Problem) -> tuple[int, int, str]:
    _, _, place = problem.where.partition(":")
    parts = problem.where.rsplit(":", 2)[1:] if place else []
    line, column = (int(part) if part.isdigit() else 0 for part in [*parts, "0", "0"][:2])
    return line, column, problem.what


def _problem(detail: Any, source: Source, model: type[BaseModel]) -> Problem:
    """Say in the words of the layout what pydantic found."""
    path: Path_ = tuple(detail["loc"])
    given = detail.get("input")
    kind, context = detail["type"], detail.get("ctx", {})
    where, key = source.place(_as_written(path, source)), _key(path)
    if kind == "extra_forbidden":
        here = _model_at(model, path[:-1])
        if key in here.LATER:
            return Problem(where, f"key '{key}' is not supported yet", "remove it")
        known = [field.alias or name for name, field in here.model_fields.items()]
        return Problem(where, f"unknown key '{key}'", did_you_mean(key, known))
    if kind == "missing":
        return Problem(where, f"key '{key}' is missing", f"add '{key}: …' to {_title(path[:-1])}")
    if kind == "value_error":
        what = str(context.get("error", detail["msg"]))
        return Problem(where, what if repr(key) in what else f"{key}: {what}")
    if kind == "literal_error":
        words = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        return Problem(where, f"{key}: '{given}' is not known", did_you_mean(str(given), words))
    wrong, fix = _KINDS.get(kind, ("", ""))
    return Problem(where, f"{key}: {_shown(given)} {wrong}".rstrip(), fix or _limits(kind, context, detail))


#: What is wrong and what to write, by kind of error.
_KINDS = {
    "int_type": ("is not a whole number", "write one, such as 4"),
    "int_from_float": ("is not a whole number", "write one, such as 4"),
    "float_type": ("is not a number", "write one, such as 1.5"),
    "float_parsing": ("is not a number", "write one, such as 1.5"),
    "string_type": ("is not text", "put it in quotes"),
    "string_pattern_mismatch": ("has characters or a form that are not allowed", ""),
    "string_too_short": ("is too short", ""),
    "string_too_long": ("is too long", ""),
    "bool_type": ("is not true or false", "write true or false"),
    "bool_parsing": ("is not true or false", "write true or false"),
    "int_parsing": ("is not a whole number", "write one, such as 4"),
    "list_type": ("is not a list", "write '[…]' or lines that start with '- '"),
    "dict_type": ("is not a mapping of keys to values", "write '{key: value}' or indented lines 'key: value'"),
    "model_type": ("is not a mapping of keys to values", "write '{key: value}' or indented lines 'key: value'"),
    "model_attributes_type": ("is not a mapping of keys to values", "write '{key: value}' or indented lines"),
    "finite_number": ("is not a finite number", "write one, such as 1.5"),
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}


def _shown(given: object) -> str:
    text = "nothing" if given is None else repr(given)
    return text if len(text) <= 60 else text[:59] + "…"


def _limits(kind: str, context: dict[str, Any], detail: Any) -> str:
    if kind in _BOUNDS:
        sign, name = _BOUNDS[kind]
        return f"it must be {sign} {context[name]:.15g}"
    if kind == "string_pattern_mismatch":
        return f"it must match {context['pattern']}"
    if kind in ("too_short", "string_too_short"):
        return f"at least {context['min_length']} {'entry is' if context['min_length'] == 1 else 'entries are'} needed"
    if kind in ("too_long", "string_too_long"):
        return f"at most {context['max_length']} are allowed"
    return str(detail["msg"]).lower()


def _as_written(path: Path_, source: Source) -> Path_:
    """Return the path of a speed where it was written: beside ``nics: 8``, which is read as a list."""
    if path[-3:] == ("nics", 0, "speed") and source.place(path) == source.place(path[:-2]):
        return (*path[:-3], "speed")
    return path


def _key(path: Path_) -> str:
    """Return the key that a path ends with, and the place in its list."""
    words = [part for part in path if isinstance(part, str)]
    if path and isinstance(path[-1], int) and words:
        return f"{words[-1]}[{path[-1]}]"
    return words[-1] if words else "layout"


def _title(path: Path_) -> str:
    return ".".join(str(part) for part in path) or "the layout"


def _model_at(model: type[BaseModel], path: Path_) -> Any:
    """Return the model at a path."""
    from fabrictool.catalogue.fields import Model

    here: Any = model
    for part in path:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, Model) and here.model_fields:
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            here = _inner_model(fields[part].annotation) if part in fields else here
    return here


def _inner_model(annotation: Any) -> Any:
    """Return the model inside optional, list and mapping annotations."""
    from typing import get_args

    from fabrictool.catalogue.fields import Model

    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    for argument in get_args(annotation):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
