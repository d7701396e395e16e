"""A whole search as a file: every page of one moment."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.faces.exports.json_lines import write_json_lines
from mediaml_assets.marken.faces.exports.parquet import write_parquet
from mediaml_assets.marken.faces.exports.web_annotation import TITLES, write_web_annotations
from mediaml_assets.marken.faces.exports.webvtt import Cues, write_webvtt
from mediaml_assets.marken.faces.paging import Searches, pages
from mediaml_assets.marken.schema import AnnotationType
from mediaml_assets.marken.types import Types

Format = Literal["jsonl", "parquet", "vtt", "jsonld"]
FORMATS: Sequence[Format] = get_args(Format)
_PAGE = 1_000


class Described(Searches, Protocol):
    """A Marken that says what its types are."""

    @property
    def types(self) -> Types:
        """By name and version."""
        ...


def export(
    marken: Described, query: Mapping[str, Any], format: Format, out: Path, cues: Cues = "metadata", film: str = TITLES
) -> int:
    """Write every annotation that a search finds; the file appears when it is complete. Returns how many it holds.

    Args:
        marken: here or over HTTP.
        query: a search of annotations, without `collapse`, `within`, `limit` and `cursor`.
        format: JSON lines, Parquet, WebVTT of one title (by start, whatever the search's order), or Web Annotation.
        out: where.
        cues: what WebVTT cues hold: each annotation whole, or its label.
        film: address of a title's film in a Web Annotation.

    Raises:
        QueryRefused: the search cannot be understood, or gives what the format has no place for.
    """
    for name in ("collapse", "within", "limit", "cursor"):
        if query.get(name) is not None:
            raise QueryRefused(f"{name}: an export is of all annotations that a search finds; leave it out", name)
    found = _found(marken, query if format != "vtt" else {**query, "sort": [{"start": "asc"}]})
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            if format == "jsonl":
                count = write_json_lines(found, file)
            elif format == "parquet":
                count = write_parquet(found, file, _types(marken, query))
            elif format == "vtt":
                count = write_webvtt(found, file, _title(query), cues)
            else:
                count = write_web_annotations(found, file, film)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return count


def _found(marken: Searches, query: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, Any]]]:
    return (answer.hits for answer in pages(marken, {**query, "limit": _PAGE}))


def _types(marken: Described, query: Mapping[str, Any]) -> list[AnnotationType]:
    """The types that a search reads, each once; those that there are not are told by the search itself."""
    types = marken.types
    found: list[AnnotationType] = []
    for name in query.get("types") or ():
        known = types.searched(name) if name.partition("@")[0] in types.names else ()
        found += [kind for kind in known if kind not in found]
    return found


def _title(query: Mapping[str, Any]) -> str:
    titles = list(query.get("titles") or [])
    if len(titles) != 1:
        raise QueryRefused("titles: WebVTT is on the clock of one title; name it", "titles")
    return str(titles[0])
