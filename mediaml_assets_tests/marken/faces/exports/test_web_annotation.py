import json
import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken.faces.exports.web_annotation import web_annotation, write_web_annotations

from .forms import HOSTILE, TEXTS, form

TERMS = {"id", "type", "motivation", "created", "creator", "body", "target"}
"""Of the vocabulary http://www.w3.org/ns/anno.jsonld, what we say of an annotation."""
UNIT = st.integers(0, 1000).map(lambda thousandth: thousandth / 1000)


def fragment(value: str) -> dict[str, list[float]]:
    """What a media fragment says, by the rules of query strings, as its standard has it."""
    found = {name: values for name, values in parse_qs(value, strict_parsing=True).items()}
    read = {}
    for name, (text,) in found.items():
        read[name] = [float(one) for one in text.removeprefix("percent:").split(",")]
    return read


def test_a_stretch_and_a_box_are_one_media_fragment() -> None:
    one = web_annotation(
        form(
            time={"start": 1.5, "end": 1e-5 + 2},
            region="POLYGON ((0.1 0.2, 0.4 0.2, 0.4 0.9, 0.1 0.9, 0.1 0.2))",
            label="a",
        ),
        "https://films.example/{title}.mp4",
    )
    assert one["target"]["source"] == "https://films.example/harbour-film.mp4"
    assert one["target"]["selector"] == {
        "type": "FragmentSelector",
        "conformsTo": "http://www.w3.org/TR/media-frags/",
        "value": "t=1.5,2.00001&xywh=percent:10,20,30,70",
    }
    assert fragment(one["target"]["selector"]["value"]) == {"t": [1.5, 2.00001], "xywh": [10, 20, 30, 70]}
    assert one["motivation"] == "tagging" and one["body"][0]["value"] == "a"


@given(UNIT, UNIT, UNIT, UNIT)
def test_any_box_is_read_back_to_the_last_digit(x0: float, y0: float, x1: float, y1: float) -> None:
    (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
    if x0 == x1 or y0 == y1:
        return
    selector = web_annotation(form(region=shapely.box(x0, y0, x1, y1).wkt))["target"]["selector"]
    x, y, width, height = fragment(selector["value"])["xywh"]
    assert [x / 100, y / 100, (x + width) / 100, (y + height) / 100] == pytest.approx([x0, y0, x1, y1], abs=1e-15)


def svg_shape(svg: str) -> Any:
    """The outlines of an SVG path, read by a parser of XML."""
    root = ElementTree.fromstring(svg)
    assert root.attrib == {"viewBox": "0 0 1 1", "preserveAspectRatio": "none"}
    (path,) = root
    assert path.tag == "{http://www.w3.org/2000/svg}path"
    rings = [re.findall(r"[\d.]+ [\d.]+", part) for part in path.attrib["d"].split("M ")[1:]]
    return [[tuple(float(one) for one in point.split()) for point in ring] for ring in rings]


@pytest.mark.parametrize(
    ("wkt", "rings"),
    [
        ("POLYGON ((0 0, 1 0, 0.5 0.25, 0 0))", [[(0, 0), (1, 0), (0.5, 0.25)]]),
        (
            "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0), (0.25 0.25, 0.5 0.25, 0.5 0.5, 0.25 0.25))",
            [[(0, 0), (1, 0), (1, 1), (0, 1)], [(0.25, 0.25), (0.5, 0.25), (0.5, 0.5)]],
        ),
        ("LINESTRING (0 0, 0.5 1e-7)", [[(0, 0), (0.5, 1e-7)]]),
        ("POINT (0.25 0.75)", [[(0.25, 0.75)]]),
        ("MULTILINESTRING ((0 0, 1 1), (1 0, 0 1))", [[(0, 0), (1, 1)], [(1, 0), (0, 1)]]),
    ],
)
def test_what_is_no_box_is_an_svg_path(wkt: str, rings: Any) -> None:
    alone = web_annotation(form(region=wkt))["target"]["selector"]
    assert alone["type"] == "SvgSelector" and svg_shape(alone["value"]) == rings
    timed = web_annotation(form(region=wkt, time={"start": 0, "end": 2}))["target"]["selector"]
    assert fragment(timed["value"]) == {"t": [0, 2]} and timed["refinedBy"] == alone


@given(st.lists(TEXTS, max_size=4))
def test_a_page_is_json_ld_of_the_vocabulary(labels: list[str]) -> None:
    forms = [form(number, label=label) for number, label in enumerate([*labels, *HOSTILE[:1]])]
    out = BytesIO()
    assert write_web_annotations([forms[:1], forms[1:]], out) == len(forms)
    page = json.loads(out.getvalue())
    assert page.keys() == {"@context", "id", "type", "items"} and page["id"].startswith("urn:uuid:")
    assert (page["@context"], page["type"]) == ("http://www.w3.org/ns/anno.jsonld", "AnnotationPage")
    for one, said in zip(page["items"], forms, strict=True):
        assert one.keys() == TERMS and one["type"] == "Annotation"
        assert re.fullmatch(r"urn:mediaml:annotation:[\w.~%-]+:\d+", one["id"])
        assert {body["format"] for body in one["body"]} <= {"text/plain", "application/json"}
        assert json.loads(one["body"][-1]["value"])["properties"] == said["properties"]


def test_an_empty_page_is_whole_and_a_hostile_title_stays_within_its_address() -> None:
    out = BytesIO()
    assert write_web_annotations([], out) == 0 and json.loads(out.getvalue())["items"] == []
    for title in HOSTILE:
        source = web_annotation(form() | {"title": title}, "https://films.example/{title}.mp4")["target"]["source"]
        name = source.removeprefix("https://films.example/").removesuffix(".mp4")
        assert unquote(name) == title and re.fullmatch(r"[\w.~%-]+", name, re.ASCII)
