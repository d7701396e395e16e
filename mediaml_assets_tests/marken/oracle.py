"""What a CQL2 filter means, in plain Python over one annotation at a time: the truth that compiled filters must meet.

Shares no code with the compiler: relations of time are named by the order of four ends, regions are asked of shapely,
words are cut by a simple pattern (letters and digits between anything else), and logic is three-valued by its tables.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import shapely
import shapely.geometry
import snowballstemmer

Annotation = Mapping[str, Any]
"""In JSON form: fixed fields, `entity`, and `properties`."""
Truth = bool | None

_NOT = {True: False, False: True, None: None}
_SIGNS = {
    # of start - start, end - end, end - start, start - end
    (-1, -1, -1, -1): "t_before",
    (1, 1, 1, 1): "t_after",
    (-1, -1, 0, -1): "t_meets",
    (1, 1, 1, 0): "t_metBy",
    (-1, -1, 1, -1): "t_overlaps",
    (1, 1, 1, -1): "t_overlappedBy",
    (0, -1, 1, -1): "t_starts",
    (0, 1, 1, -1): "t_startedBy",
    (1, -1, 1, -1): "t_during",
    (-1, 1, 1, -1): "t_contains",
    (1, 0, 1, -1): "t_finishes",
    (-1, 0, 1, -1): "t_finishedBy",
    (0, 0, 1, -1): "t_equals",
}
ALLEN = tuple(_SIGNS.values())
APART = ("t_before", "t_after", "t_meets", "t_metBy")
"""The relations of half-open ranges that share no instant."""
FIXED = ("id", "version", "type", "type_version", "scope", "title", "other_title", "by", "created")


def found(filter: Any, annotations: Iterable[Annotation]) -> list[Annotation]:
    """Those for which a filter (CQL2 JSON) is true."""
    return [one for one in annotations if truth(filter, one) is True]


def truth(filter: Any, annotation: Annotation) -> Truth:
    """True, false, or None for unknown."""
    if isinstance(filter, bool):
        return filter
    if "property" in filter:
        return _read(filter["property"], annotation)
    op, args = filter["op"].lower(), filter["args"]
    if op == "not":
        return _NOT[truth(args[0], annotation)]
    if op in ("and", "or"):
        truths = [truth(one, annotation) for one in args]
        decides = op == "or"
        return decides if decides in truths else None if None in truths else not decides
    if op == "<>":
        return _NOT[truth({"op": "=", "args": args}, annotation)]
    # an annotation of a pair has two titles, and is found under each
    other = annotation.get("other_title")
    if op != "isnull" and other is not None and "'title'" in str(args):
        truths = [_predicate(op, args, annotation | {"title": title}) for title in (annotation["title"], other)]
        return True if True in truths else None if None in truths else False
    return _predicate(op, args, annotation)


def _predicate(op: str, args: Sequence[Any], annotation: Annotation) -> Truth:
    if op.startswith("t_"):
        return _time(op, args, annotation)
    if op.startswith("s_"):
        return _space(op, args, annotation)
    if op.startswith("a_"):
        return _lists(op, args, annotation)
    if op == "match":
        return _match(args, annotation)
    if op == "isnull":
        return _value(args[0], annotation) is None
    if op == "in":
        return _any(_compared("=", args[0], one, annotation) for one in args[1])
    if op == "between":
        low, high = _compared(">=", args[0], args[1], annotation), _compared("<=", args[0], args[2], annotation)
        return False if False in (low, high) else None if None in (low, high) else True
    if op == "like":
        text, pattern = _value(args[0], annotation), _value(args[1], annotation)
        return None if text is None else bool(re.fullmatch(_regex(pattern), text, re.DOTALL))
    return _compared(op, args[0], args[1], annotation)


def _any(truths: Iterable[Truth]) -> Truth:
    kept = list(truths)
    return True if True in kept else None if None in kept else False


def _compared(op: str, left: Any, right: Any, annotation: Annotation) -> Truth:
    a, b = _value(left, annotation), _value(right, annotation)
    if a is None or b is None:
        return None
    if isinstance(a, datetime) or isinstance(b, datetime):
        a, b = _moment(a), _moment(b)
    return {"=": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]  # type: ignore[operator]


def _value(operand: Any, annotation: Annotation) -> Any:
    if not isinstance(operand, Mapping):
        return operand
    if "property" in operand:
        return _read(operand["property"], annotation)
    if "timestamp" in operand or "date" in operand:
        return _moment(operand.get("timestamp") or operand["date"])
    op, args = operand["op"].lower(), operand["args"]
    if op == "casei":
        text = _value(args[0], annotation)
        return None if text is None else "".join(character.lower()[0] for character in text)
    if op == "iou":
        one, other = (_geometry(arg, annotation) for arg in args)
        return None if one is None or other is None else _iou(one, other)
    a, b = (_number(arg, annotation) for arg in args)
    if a is None or b is None or (op == "/" and b == 0):
        return None
    return a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else a / b


def _moment(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(operand: Any, annotation: Annotation) -> float | None:
    number = _value(operand, annotation)
    if number is None:
        return None
    column = isinstance(operand, Mapping) and "property" in operand
    return None if column and number != 0 and not 1e-20 <= abs(number) <= 1e20 else float(number)


def _read(name: str, annotation: Annotation) -> Any:
    if name in FIXED:
        value = annotation.get(name)
        return _moment(value) if name == "created" else value
    if name in ("entity_kind", "entity_id"):
        return annotation["entity"][name.removeprefix("entity_")]
    properties = annotation["properties"]
    if name in properties:
        return properties[name]
    name = f"time_{name}" if name in ("start", "end") else name
    range, _, part = name.rpartition("_")
    return (properties.get(range) or {}).get(part) if part in ("start", "end") else None


def _regex(pattern: str) -> str:
    signs = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|[^\\]", pattern, re.DOTALL)
    return "".join(signs.get(part) or re.escape(part[-1]) for part in parts)


def relation(a: float, b: float, c: float, d: float) -> str:
    """The one Allen relation of [a, b) to [c, d)."""
    return _SIGNS[tuple((x > y) - (x < y) for x, y in ((a, c), (b, d), (b, c), (a, d)))]  # type: ignore[index]


def _time(op: str, args: Sequence[Any], annotation: Annotation) -> Truth:
    in_frames = any("op" in one for one in args)
    one, other = (_range(arg, annotation, in_frames) for arg in args)
    if one is None or other is None:
        return None
    name = relation(*one, *other)
    if op in ("t_intersects", "t_disjoint"):
        return (name in APART) == (op == "t_disjoint")
    return name.lower() == op


def _range(operand: Any, annotation: Annotation, in_frames: bool) -> tuple[float, float] | None:
    if "property" in operand:
        held = _read(operand["property"], annotation)
        ends = ("start_frame", "end_frame") if in_frames else ("start", "end")
        return None if held is None or ends[0] not in held else (held[ends[0]], held[ends[1]])
    low, high = operand["interval"] if "interval" in operand else operand["args"]
    return float("-inf") if low == ".." else low, float("inf") if high == ".." else high


def _geometry(operand: Any, annotation: Annotation) -> Any:
    if "bbox" in operand:
        return shapely.box(*operand["bbox"])
    if "property" in operand:
        held = _read(operand["property"], annotation)
        return None if held is None else shapely.from_wkt(held)
    return shapely.geometry.shape(operand)


def _space(op: str, args: Sequence[Any], annotation: Annotation) -> Truth:
    one, other = (_geometry(arg, annotation) for arg in args)
    return None if one is None or other is None else bool(getattr(shapely, op.removeprefix("s_"))(one, other))


def _iou(one: Any, other: Any) -> float:
    union = shapely.union(one, other).area
    return shapely.intersection(one, other).area / union if union else 0.0


def _lists(op: str, args: Sequence[Any], annotation: Annotation) -> Truth:
    held = [_value(arg, annotation) for arg in args]
    if None in held:
        return None
    one, other = map(set, held)
    kinds: Mapping[str, Callable[[], bool]] = {
        "a_contains": lambda: one >= other,
        "a_containedby": lambda: one <= other,
        "a_overlaps": lambda: bool(one & other),
        "a_equals": lambda: one == other,
    }
    return kinds[op]()


def _match(args: Sequence[Any], annotation: Annotation) -> Truth:
    text = _value(args[0], annotation)
    if text is None:
        return None
    own = annotation["properties"].get("language", "en")
    language = args[2] if len(args) > 2 else own
    held = _stems(text, own)
    outside = args[1].split('"')[::2]
    inside = args[1].split('"')[1::2]
    words = all(_near(word, held, language) for part in outside for word in re.findall(r"\w+", part))
    runs = all(_in_a_row(_stems(one, language), held) for one in inside)
    return words and runs


def _stems(text: str, language: str) -> list[str]:
    stemmer = snowballstemmer.stemmer({"en": "english", "de": "german", "fr": "french"}[language])
    return [stemmer.stemWord(word) for word in re.findall(r"\w+", text.casefold())]


def _near(word: str, held: Sequence[str], language: str) -> bool:
    (wanted,) = _stems(word, language)
    allowed = 0 if len(word) < 4 or re.search(r"\d", word) else 1 if len(word) < 8 else 2
    return any(edits(wanted, one) <= allowed for one in held)


def edits(one: str, other: str) -> int:
    """Insertions, deletions, changes and swaps of neighbours between two words; no place is edited twice."""
    far = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i, j in itertools.product(range(1, len(one) + 1), range(1, len(other) + 1)):
        change = far[i - 1, j - 1] + (one[i - 1] != other[j - 1])
        far[i, j] = min(far[i - 1, j] + 1, far[i, j - 1] + 1, change)
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            far[i, j] = min(far[i, j], far[i - 2, j - 2] + 1)
    return far[len(one), len(other)]


def _in_a_row(run: Sequence[str], held: Sequence[str]) -> bool:
    return any(list(held[i : i + len(run)]) == list(run) for i in range(len(held) + 1))
