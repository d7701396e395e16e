"""W3C Web Annotation: a page of annotations whose targets are stretches and regions of a title.

https://www.w3.org/TR/annotation-model/ with media fragments (https://www.w3.org/TR/media-frags/): `t=` in seconds,
half-open as ours, and `xywh=percent:`. Percents have decimals, as Annotorious and others write and read them; the
grammar of media fragments knows whole ones only. What is no box is an SVG path over the picture stretched to 1 x 1.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import uuid4

from mediaml_assets.marken.faces.said import said

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
FRAGMENTS = "http://www.w3.org/TR/media-frags/"
TITLES = "urn:mediaml:title:{title}"
"""Default address of a title's film."""


def write_web_annotations(pages: Iterable[Sequence[Mapping[str, Any]]], out: BinaryIO, film: str = TITLES) -> int:
    """Write one JSON-LD AnnotationPage; returns how many annotations.

    Args:
        pages: of annotations in their JSON form.
        out: bytes; ASCII.
        film: address of a title's film; `{title}` stands for the slug, percent-encoded.
    """
    head = {"@context": CONTEXT, "id": f"urn:uuid:{uuid4()}", "type": "AnnotationPage"}
    out.write(json.dumps(head)[:-1].encode() + b', "items": [')
    count = 0
    for page in pages:
        for one in page:
            out.write((b",\n" if count else b"\n") + json.dumps(web_annotation(one, film)).encode())
            count += 1
    out.write(b"\n]}\n")
    return count


def web_annotation(form: Mapping[str, Any], film: str = TITLES) -> dict[str, Any]:
    """One annotation: what it says as a tag, all of its properties as JSON, and what of the film it is about."""
    properties, words = form["properties"], said(form["properties"])
    whole = {
        "type": "TextualBody",
        "purpose": "describing",
        "format": "application/json",
        "value": json.dumps({key: form[key] for key in ("type", "type_version", "properties")}),
    }
    tag = {"type": "TextualBody", "purpose": "tagging", "format": "text/plain", "value": words}
    target: dict[str, Any] = {"type": "SpecificResource", "source": film.replace("{title}", quote(form["title"], ""))}
    selector = _selector(properties.get("time"), properties.get("region"))
    if selector is not None:
        target["selector"] = selector
    return {
        "id": f"urn:mediaml:annotation:{quote(form['id'], '')}:{form['version']}",
        "type": "Annotation",
        "motivation": "tagging" if words else "describing",
        "created": form["created"],
        "creator": {"name": form["by"]},
        "body": [tag, whole] if words else [whole],
        "target": target,
    }


def _selector(time: Mapping[str, float] | None, region: str | None) -> dict[str, Any] | None:
    """A fragment of time, of space or of both; a shape refines the fragment."""
    box = None if region is None else _box(region)
    parts = [f"t={_plain(time['start'])},{_plain(time['end'])}"] if time is not None else []
    if box is not None:
        x0, y0, x1, y1 = (Decimal(repr(edge)) * 100 for edge in box)
        parts.append("xywh=percent:" + ",".join(_plain(one) for one in (x0, y0, x1 - x0, y1 - y0)))
    fragment = {"type": "FragmentSelector", "conformsTo": FRAGMENTS, "value": "&".join(parts)} if parts else None
    if region is None or box is not None:
        return fragment
    shape = {"type": "SvgSelector", "value": _svg(region)}
    return shape if fragment is None else fragment | {"refinedBy": shape}


def _box(region: str) -> tuple[float, float, float, float] | None:
    """Edges of a region that is a box."""
    import shapely

    shape = shapely.from_wkt(region)
    return shape.bounds if shape.area > 0 and shape.equals(shapely.box(*shape.bounds)) else None


def _svg(region: str) -> str:
    import shapely

    path = " ".join(_paths(shapely.from_wkt(region)))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" preserveAspectRatio="none">'
        f'<path fill-rule="evenodd" d="{path}"/></svg>'
    )


def _paths(shape: Any) -> Iterator[str]:
    """SVG path data of a geometry, part by part and ring by ring."""
    if hasattr(shape, "geoms"):
        for part in shape.geoms:
            yield from _paths(part)
    elif shape.geom_type == "Polygon":
        for ring in (shape.exterior, *shape.interiors):
            yield _line(list(ring.coords)[:-1]) + " Z"
    else:
        yield _line(list(shape.coords)) + (" h 0" if shape.geom_type == "Point" else "")


def _line(points: list[tuple[float, ...]]) -> str:
    return "M " + " L ".join(f"{_plain(point[0])} {_plain(point[1])}" for point in points)


def _plain(number: float | Decimal) -> str:
    """A number exactly, without exponent and needless zeros."""
    text = format(number if isinstance(number, Decimal) else Decimal(repr(float(number))), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
