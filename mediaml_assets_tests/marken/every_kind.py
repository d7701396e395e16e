"""A type with a property of every kind, and annotations of it in JSON form, drawn by hypothesis."""

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Mode, Property

EVERY_KIND = AnnotationType(
    "EVERY_KIND",
    2,
    "One property of every kind.",
    (
        Property("count", Kind.INTEGER, "How many."),
        Property("sharp", Kind.BOOLEAN, "Whether it is."),
        Property("tags", Kind.STRINGS, "What it is filed under."),
        Property("embedding", Kind.VECTOR, "What it looks like.", dimensions=3, encoder="shot_embedding"),
        Property("language", Kind.STRING, "Of the label."),
    ),
    (TEMPORAL_SPATIAL, ALGORITHM),
)
DECISION = AnnotationType(
    "DECISION",
    1,
    "What a person decided.",
    (Property("accepted", Kind.BOOLEAN, "Whether it may be shown.", mandatory=True),),
    mode=Mode.LOG,
    key=("entity_id", "by"),
)

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)
shares = st.floats(0, 1).map(lambda x: x + 0.0)


@st.composite
def times(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        start, end = sorted(draw(st.lists(st.floats(0, 1e9), min_size=2, max_size=2, unique=True)))
        return {"start": start + 0.0, "end": end}
    start_frame = draw(st.integers(0, 2**26))
    rate = draw(st.sampled_from([Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(1, 7)]))
    return {
        "start_frame": start_frame,
        "end_frame": start_frame + draw(st.integers(1, 10_000)),
        "rate": f"{rate.numerator}/{rate.denominator}",
    }


@st.composite
def regions(draw: st.DrawFn) -> Any:
    x, y = (sorted(draw(st.lists(shares, min_size=2, max_size=2, unique=True))) for _ in range(2))
    (x0, x1), (y0, y1) = x, y
    return draw(
        st.sampled_from(
            [
                [x0, y0, x1, y1],
                f"POINT ({x0!r} {y1!r})",
                f"LINESTRING ({x0!r} {y0!r}, {x1!r} {y1!r})",
                f"POLYGON (({x0!r} {y0!r}, {x1!r} {y0!r}, {x1!r} {y1!r}, {x0!r} {y1!r}, {x0!r} {y0!r}))",
                f"MULTIPOINT (({x0!r} {y0!r}), ({x1!r} {y1!r}))",
            ]
        )
    )


properties = st.fixed_dictionaries(
    {},
    optional={
        "time": times(),
        "region": regions(),
        "label": texts,
        "confidence": numbers,
        "algorithm_version": texts,
        "count": st.integers(-(2**63), 2**63 - 1),
        "sharp": st.booleans(),
        "tags": st.lists(texts, max_size=4),
        "embedding": st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3).filter(any),
        "language": st.sampled_from(["en", "fr-CA", "xx", "ja", "tr"]),
    },
)
bodies = st.fixed_dictionaries(
    {"properties": properties},
    optional={
        "title": names,
        "other_title": names,
        "entity": st.fixed_dictionaries({"kind": st.sampled_from(["artwork", "shot", "pair"]), "id": names}),
    },
)
