"""Layout files: from text to a checked Layout, with all errors at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.layout.source import Path_, Source, checked_size, parse, read_bytes

if TYPE_CHECKING:
    from pydantic import BaseModel

    from fabrictool.layout.model import Layout


def read_layout(path: str) -> Layout:
    """Read and check a layout file.

    Parameters
    ----------
    path : str
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
    name, content = read_bytes(path)
    return layout_from_bytes(name, content)


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
    where, key = source.place(path), path[-1] if path else "layout"
    if kind == "extra_forbidden":
        return Problem(where, f"unknown key '{key}'", did_you_mean(str(key), _known_keys(model, path[:-1])))
    if kind == "missing":
        return Problem(where, f"key '{key}' is missing", f"add '{key}: …' to {_title(path[:-1])}")
    if kind == "value_error":
        what = str(context.get("error", detail["msg"]))
        return Problem(where, what if repr(str(key)) in what else f"{key}: {what}")
    if kind == "literal_error":
        words = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        return Problem(where, f"{key}: '{given}' is not known", did_you_mean(str(given), words))
    return Problem(where, f"{key}: {_shown(given)} {_KINDS.get(kind, '')}".rstrip(), _limits(kind, context, detail))


_KINDS = {
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "string_type": "is not text",
    "string_pattern_mismatch": "has characters or a form that are not allowed",
    "bool_type": "is not true or false",
    "list_type": "is not a list",
    "dict_type": "is not a mapping of keys to values",
    "model_type": "is not a mapping of keys to values",
    "model_attributes_type": "is not a mapping of keys to values",
    "finite_number": "is not a finite number",
}


def _shown(given: object) -> str:
    text = "nothing" if given is None else repr(given)
    return text if len(text) <= 60 else text[:59] + "…"


def _limits(kind: str, context: dict[str, Any], detail: Any) -> str:
    words = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt", "less_than": "lt"}
    if kind in words:
        sign = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}[words[kind]]
        return f"it must be {sign} {context[words[kind]]}"
    if kind == "string_pattern_mismatch":
        return f"it must match {context['pattern']}"
    if kind == "too_short":
        return f"at least {context['min_length']} entries are needed"
    if kind == "too_long":
        return f"at most {context['max_length']} entries are allowed"
    return "" if kind in _KINDS else str(detail["msg"]).lower()


def _title(path: Path_) -> str:
    return ".".join(str(part) for part in path) or "the layout"


def _known_keys(model: type[BaseModel], path: Path_) -> list[str]:
    """Return the keys that the model at a path knows."""
    from fabrictool.catalogue.fields import Model

    here: Any = model
    for part in path:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, Model) and here.model_fields:
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            here = _inner_model(fields[part].annotation) if part in fields else here
    return [field.alias or name for name, field in here.model_fields.items()]


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
