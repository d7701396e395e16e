"""Errors as JSON and back: `{"error": kind, "message", "place" | "property" | "titles"}`.

The kind is the name of a class of the error tree, so that a client raises what the service raised.
"""

from collections.abc import Mapping
from typing import Any

from mediaml_assets.errors import (
    AnnotationRefused,
    Damaged,
    MarkenError,
    MediamlError,
    NotStored,
    OperationRefused,
    QueryRefused,
    RequestRefused,
    SchemaRefused,
    TitlesUnreachable,
    Unreachable,
)

STATUS: Mapping[type[MediamlError], int] = {
    QueryRefused: 400,
    RequestRefused: 422,
    NotStored: 404,
    SchemaRefused: 404,  # types are declared before anything is served: a request names one that is not
    OperationRefused: 409,
    AnnotationRefused: 422,
    Damaged: 500,
    MarkenError: 500,
    TitlesUnreachable: 503,
    Unreachable: 503,
}
"""Class of error -> HTTP status: 4xx is the caller's fault, 503 can be tried again, 500 is ours."""
_DETAIL: Mapping[type[MediamlError], str] = {
    QueryRefused: "place",
    RequestRefused: "place",
    AnnotationRefused: "property",
    TitlesUnreachable: "titles",
}
_LONGEST = 1_500
_BY_NAME = {kind.__name__: kind for kind in STATUS}


def status_of(error: MediamlError) -> int:
    """The HTTP status of an error."""
    return STATUS[_kind(error)]


def to_json(error: MediamlError) -> dict[str, Any]:
    """The JSON form of an error."""
    kind = _kind(error)
    form: dict[str, Any] = {"error": kind.__name__, "message": _short(str(error))}
    detail = _DETAIL.get(kind)
    if detail is not None:
        value = getattr(error, detail)
        form[detail] = list(value) if detail == "titles" else _short(value)
    return form


def from_json(form: Any) -> MediamlError:
    """The error that `to_json` wrote; a MarkenError for what is no such form."""
    if not isinstance(form, Mapping) or not isinstance(form.get("message"), str):
        return MarkenError(f"the annotation service gave no answer that can be read: {str(form)[:200]}")
    kind = _BY_NAME.get(str(form.get("error")), MarkenError)
    detail = _DETAIL.get(kind)
    if detail is None:
        return kind(form["message"])
    return kind(form["message"], form.get(detail) or ([] if detail == "titles" else ""))


def _short(text: str) -> str:
    """Text of at most `_LONGEST` characters: what was sent is not sent back whole."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} [...] {text[-_LONGEST // 2 :]}"


def _kind(error: MediamlError) -> type[MediamlError]:
    """The nearest class of the error that has a name on the wire."""
    return next((one for one in type(error).__mro__ if one in STATUS), MarkenError)
