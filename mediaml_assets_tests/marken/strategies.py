"""Random annotations and random filters over them, for any types: few values and coinciding bounds, so filters hit.

Annotations are in JSON form. Filters are CQL2 JSON of the profile; none is refused for the types it was made for.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random
from typing import Any

import shapely
import shapely.geometry
from hypothesis import strategies as st

from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Mode, Property
from mediaml_assets_tests.marken.oracle import ALLEN, FIXED

SCENE = AnnotationType(
    "SCENE",
    1,
    "With a property of every kind.",
    own=(
        Property("place", Kind.STRING, "Where it plays."),
        Property("count", Kind.INTEGER, "People in sight."),
        Property("indoor", Kind.BOOLEAN, "Whether under a roof."),
        Property("tags", Kind.STRINGS, "What else."),
        Property("speech", Kind.TIME_RANGE, "When somebody speaks."),
        Property("look", Kind.VECTOR, "How it looks.", dimensions=4),
    ),
    bases=(TEMPORAL_SPATIAL, ALGORITHM),
)
REMARK = AnnotationType(
    "REMARK",
    1,
    "By people, about a part of a title.",
    own=(
        Property("remark", Kind.TEXT, "In words."),
        Property("language", Kind.STRING, "Of the words."),
        Property("stars", Kind.INTEGER, "1 to 5."),
    ),
    bases=(TEMPORAL_SPATIAL,),
    mode=Mode.LOG,
    key=("entity_id", "by"),
)
TITLES = ("a-film", "b-film", "c-film", "d-film")
PEOPLE = ("ann", "bob", "shots@3")
STRINGS = ("", "a", "A", "ab", "aB", "b", "é", "É", "a%", "a_b", "it's", '"; DROP', "x\\y", "🎬")
PATTERNS = ("%", "a%", "%b", "_", "a_", "a\\%", "a\\_b", "%'%", "é", "", "%\\\\%", "A_")
TAGS = ("red", "Red", "wet", "it's")
WORDS = ("curtain", "curtains", "red", "wine", "drinking", "drinks", "drink", "house", "James", "1999")
TYPED = ("curtian", "curtains", "red", "wien", "drinking", "houses", "JAMES", "1998", "1999", "rad", "drnik")
LANGUAGES = ("en", "de", "fr")
DAYS = ("2026-01-01T00:00:00Z", "2026-01-01T12:00:00.5Z", "2026-01-02T00:00:00Z", "2026-02-01T00:00:00Z")
INTEGERS = (-2, 0, 1, 2, 3)
NUMBERS = (-1.0, -0.0, 0.0, 0.25, 0.5, 0.9, 1.0, 1e-30)
RATES = (Fraction(2), Fraction(24000, 1001))
EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)

_spans = st.tuples(st.integers(0, 5), st.integers(1, 3)).map(lambda two: (two[0], two[0] + two[1]))


def box(random: Random) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of an area above 0, on a grid of quarters."""
    (x0, x1), (y0, y1) = sorted(random.sample(EDGES, 2)), sorted(random.sample(EDGES, 2))
    return x0, y0, x1, y1


def geometry(random: Random) -> dict[str, Any]:
    """GeoJSON in the picture: polygons, with and without a hole, lines, points and several of them."""
    x0, y0, x1, y1 = box(random)
    ring = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
    middle = [(x0 + x1) / 2, (y0 + y1) / 2]
    hole = [[(x + 3 * mx) / 4 for x, mx in zip(corner, middle, strict=True)] for corner in ring]
    grid = [[x, y] for x in EDGES for y in EDGES]
    kinds = {
        "Polygon": random.choice([[ring], [ring, hole], [[*ring[:3], ring[0]]]]),
        "Point": random.choice(grid),
        "MultiPoint": random.sample(grid, random.randint(1, 3)),
        "LineString": random.sample(grid, random.randint(2, 3)),
        "MultiLineString": [random.sample(grid, 2) for _ in range(random.randint(1, 2))],
        "MultiPolygon": [[[*hole[:3], hole[0]]]],
    }
    kind = random.choice(sorted(kinds))
    return {"type": kind, "coordinates": kinds[kind]}


def _region(random: Random) -> str:
    made = shapely.box(*box(random)) if random.random() < 0.5 else shapely.geometry.shape(geometry(random))
    # a line that lies on itself is none that is kept
    return str(made.wkt) if made.is_valid else _region(random)


def _time_range(random: Random) -> dict[str, Any]:
    start = random.randint(0, 5)
    end = start + random.randint(1, 3)
    if random.random() < 0.5:
        return {"start": start / 2, "end": end / 2}
    rate = random.choice(RATES)
    frames = {"start_frame": start, "end_frame": end, "rate": f"{rate.numerator}/{rate.denominator}"}
    return {"start": float(start / rate), "end": float(end / rate)} | frames


def strings_of(one: Property) -> Sequence[str]:
    """What a string property may say."""
    return LANGUAGES if one.name == "language" else STRINGS


def value(one: Property, random: Random) -> Any:
    """Of a property, in JSON form."""
    return {
        Kind.STRING: lambda: random.choice(strings_of(one)),
        Kind.TEXT: lambda: ", ".join(random.choices(WORDS, k=random.randint(0, 4))),
        Kind.INTEGER: lambda: random.choice(INTEGERS),
        Kind.NUMBER: lambda: random.choice(NUMBERS),
        Kind.BOOLEAN: lambda: random.random() < 0.5,
        Kind.STRINGS: lambda: random.sample(TAGS, random.randint(0, 3)),
        Kind.TIME_RANGE: lambda: _time_range(random),
        Kind.REGION: lambda: _region(random),
        Kind.VECTOR: lambda: [random.choice([-1.0, 0.5, 1.0]) for _ in range(one.dimensions)],
    }[one.kind]()


def annotation(kind: AnnotationType, random: Random, titles: Sequence[str] = TITLES) -> dict[str, Any]:
    """One of a type; a quarter of what it need not have is missing. A third are of pairs of titles."""
    title, other = random.choice(titles), random.choice(titles)
    pair = other != title and random.random() < 0.5
    found = {
        "id": f"id-{random.getrandbits(40)}",
        "version": random.randint(1, 3),
        "type": kind.name,
        "type_version": kind.version,
        "scope": title,
        "title": title,
        "entity": {"kind": "pair", "id": f"{title}+{other}"} if pair else {"kind": "title", "id": title},
        "by": random.choice(PEOPLE),
        "created": random.choice(DAYS),
    }
    if pair:
        found["other_title"] = other
    kept = [one for one in kind.properties.values() if one.mandatory or random.random() < 0.75]
    return found | {"properties": {one.name: value(one, random) for one in kept}}


def _seeded(make: Callable[[Random], Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 2**24).map(lambda seed: make(Random(seed)))


def annotations(kind: AnnotationType, titles: Sequence[str] = TITLES) -> st.SearchStrategy[dict[str, Any]]:
    """Of a type (`annotation`); drawn by a seed, since many are wanted."""
    return _seeded(lambda random: annotation(kind, random, titles))


def _property(name: str) -> dict[str, str]:
    return {"property": name}


def _op(op: str, *args: Any) -> dict[str, Any]:
    return {"op": op, "args": list(args)}


_COMPARISONS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


@st.composite
def _strings(draw: st.DrawFn, name: str, pool: Sequence[str]) -> dict[str, Any]:
    held, other = _property(name), st.sampled_from(pool)
    match draw(st.sampled_from(["compare", "turned", "in", "between", "like", "folded", "folded like", "folded in"])):
        case "compare":
            return _op(draw(_COMPARISONS), held, draw(other))
        case "turned":
            return _op(draw(_COMPARISONS), draw(other), held)
        case "in":
            return _op("in", held, draw(st.lists(other, min_size=1, max_size=3)))
        case "between":
            return _op("between", held, draw(other), draw(other))
        case "like":
            return _op("like", held, draw(st.sampled_from(PATTERNS)))
        case "folded":
            return _op(draw(_COMPARISONS), _op("casei", held), _op("casei", draw(other)))
        case "folded in":
            return _op("in", _op("casei", held), [_op("casei", one) for one in draw(st.lists(other, min_size=1))])
        case _:
            return _op("like", _op("casei", held), _op("casei", draw(st.sampled_from(PATTERNS))))


@st.composite
def _numbers(draw: st.DrawFn, name: str, names: Sequence[str], pool: Sequence[float]) -> dict[str, Any]:
    literal, column = st.sampled_from(pool), st.sampled_from(names).map(_property)
    leaf = st.one_of(literal, column)
    match draw(st.sampled_from(["compare", "columns", "in", "between", "sum"])):
        case "compare":
            return _op(draw(_COMPARISONS), _property(name), draw(literal))
        case "columns":
            return _op(draw(_COMPARISONS), _property(name), draw(column))
        case "in":
            return _op("in", _property(name), draw(st.lists(literal, min_size=1, max_size=3)))
        case "between":
            return _op("between", _property(name), draw(literal), draw(leaf))
        case _:
            signs = st.sampled_from("+-*/")
            # 1e-30 is a value of columns; as a literal in arithmetic it is refused
            plain = st.one_of(st.sampled_from([one for one in pool if one != 1e-30]), column)
            first = _op(draw(signs), _property(name), draw(plain))
            return _op(
                draw(_COMPARISONS), draw(st.sampled_from([first, _op(draw(signs), first, draw(plain))])), draw(leaf)
            )


@st.composite
def _times(draw: st.DrawFn, name: str, names: Sequence[str]) -> dict[str, Any]:
    op = draw(st.sampled_from([*ALLEN, "t_intersects", "t_disjoint"]))
    start, end = draw(_spans)
    kind = draw(st.sampled_from(["interval", "frames", "property", "fixed"]))
    if kind == "property":
        return _op(op, _property(name), _property(draw(st.sampled_from(names))))
    ends: list[Any] = [start, end] if kind == "frames" else [start / 2, end / 2]
    for place in draw(st.sampled_from([(), (), (), (0,), (1,), (0, 1)])):
        ends[place] = ".."
    literal = _op("FRAMES", *ends) if kind == "frames" else {"interval": ends}
    return _op(op, *draw(st.permutations([_property(name), literal])))


def _literal(random: Random) -> dict[str, Any]:
    if random.random() < 0.5:
        return {"bbox": list(box(random))}
    made = geometry(random)
    return made if shapely.geometry.shape(made).is_valid else _literal(random)


@st.composite
def _spaces(draw: st.DrawFn, name: str) -> dict[str, Any]:
    literal = draw(_seeded(_literal))
    both = draw(st.permutations([_property(name), literal]))
    if draw(st.integers(0, 3)) == 0:
        return _op(draw(_COMPARISONS), _op("IOU", *both), draw(st.sampled_from([0.0, 0.1, 0.3, 0.9])))
    kinds = ["intersects", "disjoint", "within", "contains", "overlaps", "touches", "equals", "crosses"]
    return _op(f"s_{draw(st.sampled_from(kinds))}", *both)


@st.composite
def _matches(draw: st.DrawFn, name: str) -> dict[str, Any]:
    words = draw(st.lists(st.sampled_from(TYPED), min_size=1, max_size=2))
    phrase = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2))
    text = " ".join(draw(st.sampled_from([words, [f'"{" ".join(phrase)}"'], [*words, f'"{" ".join(phrase)}"']])))
    language = draw(st.sampled_from([(), ("en",), ("de",)]))
    return _op("MATCH", _property(name), text, *language)


def _lists(name: str) -> st.SearchStrategy[dict[str, Any]]:
    kinds = st.sampled_from(["a_contains", "a_containedBy", "a_overlaps", "a_equals"])
    literal = st.lists(st.sampled_from(TAGS), min_size=1, max_size=3)
    return st.builds(
        lambda op, some, turned: _op(op, some, _property(name)) if turned else _op(op, _property(name), some),
        kinds,
        literal,
        st.booleans(),
    )


def predicates(types: Sequence[AnnotationType]) -> st.SearchStrategy[dict[str, Any]]:
    """One condition over the properties of these types, or over what every annotation has."""
    properties = {one.name: one.kind for kind in types for one in kind.properties.values()}
    of = {kind: [name for name, held in properties.items() if held is kind] for kind in Kind}
    ranges = of[Kind.TIME_RANGE]
    numbers = of[Kind.INTEGER] + of[Kind.NUMBER] + [f"{name}_{part}" for name in ranges for part in ("start", "end")]
    pools = {
        "title": TITLES,
        "other_title": TITLES,
        "by": PEOPLE,
        "type": ("SCENE", "REMARK"),
        "entity_kind": ("pair",),
    }
    timestamps = st.sampled_from(DAYS).map(lambda day: {"timestamp": day})
    dates = st.sampled_from(["2026-01-01", "2026-01-02"]).map(lambda day: {"date": day})
    day = st.one_of(timestamps, dates, st.sampled_from(DAYS))
    found = [
        *(_strings(name, pool) for name, pool in pools.items()),
        *(_strings(name, STRINGS) for name in of[Kind.STRING]),
        *(_strings(name, ("red, wine", "", "house")) for name in of[Kind.TEXT]),
        *(_numbers(name, numbers, (*INTEGERS, 1.5) if name in of[Kind.INTEGER] else NUMBERS) for name in numbers),
        *(_numbers(name, ["version"], INTEGERS) for name in ["version", "type_version"]),
        *([_times(name, ranges) for name in ranges] * 3),
        *([_spaces(name) for name in of[Kind.REGION]] * 3),
        *([_matches(name) for name in of[Kind.TEXT]] * 2),
        *([_lists(name) for name in of[Kind.STRINGS]] * 2),
        *(st.builds(_op, st.sampled_from(["=", "<>"]), st.just(_property(n)), st.booleans()) for n in of[Kind.BOOLEAN]),
        *(st.just(_property(name)) for name in of[Kind.BOOLEAN]),
        st.builds(_op, _COMPARISONS, st.just(_property("created")), day),
        st.builds(_op, st.just("isNull"), st.sampled_from([*properties, *FIXED]).map(_property)),
        st.booleans(),
    ]
    return st.one_of(found)


def filters(types: Sequence[AnnotationType]) -> st.SearchStrategy[Any]:
    """CQL2 JSON: conditions (`predicates`) under NOT, AND and OR."""
    return st.recursive(
        predicates(types),
        lambda inner: st.one_of(
            st.builds(_op, st.just("not"), inner),
            st.builds(
                lambda op, nodes: _op(op, *nodes),
                st.sampled_from(["and", "or"]),
                st.lists(inner, min_size=2, max_size=3),
            ),
        ),
        max_leaves=5,
    )
