"""What strangers send: a value for every field that a description of an API names."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MARK = "mm-escape"
"""In every path attempt, so that a file that it made is found."""
TEXTS = [
    "' OR 1=1 --",
    "'; DROP TABLE annotations; --",
    '" OR ""="',
    "x') OR ('a'='a",
    "' UNION SELECT content FROM read_text('/etc/passwd') --",
    f"'; COPY (SELECT 1) TO '/tmp/{MARK}.csv'; --",
    f"'; ATTACH '/tmp/{MARK}.db' AS a; --",
    "$$; SELECT pg_sleep(60); $$",
    "\\'; --",
    "%",
    "?",
    "$1",
    f"../../../../../../tmp/{MARK}",
    f"/tmp/{MARK}",
    f"..\\..\\{MARK}",
    f"a/../../../{MARK}",
    f"file:///tmp/{MARK}",
    f"%2e%2e%2f{MARK}",
    "/etc/passwd",
    ".",
    "..",
    "",
    " ",
    "\r\nX-Forged: 1",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "\u202e\ufeff\U0001f3ac",
    "x" * 100_001,
    "((((" * 5_000,
    "NOT " * 5_000 + "TRUE",
    "9" * 5_000,
    "2026-99-99T99:99:99Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "SHOT@99999999999999999999",
    "SHOT@-1",
    "SHOT@\u0663",
]
OTHERS: list[Any] = [None, True, -1, 0, 1.5, 2**31, 2**63 - 1, -(2**63), 1e308, [], {}, [[]], {"": ""}, [1] * 1_001]
RAW = [b"NaN", b"Infinity", b"1e999", b'"\\ud800"', b'"\\u0000"', b"9" * 400, b"[" * 100 + b"]" * 100, b'"\xff"', b"{"]
"""Pieces of bodies that are no JSON, or none that can be kept."""

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a body, lists and objects before what is in them."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def replaced(body: Any, path: Path, value: Any) -> Any:
    """A copy of a body with another value at a place."""
    found = copy.deepcopy(body)
    holder = found
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return found


def examples(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Any]:
    """The bodies that a description shows for an operation."""
    content = operation["requestBody"]["content"]["application/json"]
    shown = [one["value"] for one in content.get("examples", {}).values()]
    return shown or list(resolved(document, content["schema"])["examples"])


def fields(document: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "") -> set[str]:
    """The names of all fields of a body, such as `collapse.inner_hits.size`."""
    found: set[str] = set()
    schema = resolved(document, schema)
    for inner in [
        *schema.get("anyOf", ()),
        *schema.get("prefixItems", ()),
        *([schema["items"]] if "items" in schema else []),
    ]:
        found |= fields(document, inner, prefix)
    for name, inner in schema.get("properties", {}).items():
        found |= {f"{prefix}{name}"} | fields(document, inner, f"{prefix}{name}.")
    return found


def resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema that is no reference."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def named(path: Sequence[str | int]) -> str:
    """A place by the names of its fields."""
    return ".".join(step for step in path if isinstance(step, str))
