"""MATCH: the words of a text, stemmed and forgiving of slips; phrases in quotes stand word by word."""

import re
from collections.abc import Sequence
from typing import Any

from mediaml_assets.marken import words
from mediaml_assets.marken.query.asking import Asking
from mediaml_assets.marken.query.nodes import And, Column, HasAny, HasRun, IsNull, Node, OneOf, Or, Value
from mediaml_assets.marken.query.source import Path
from mediaml_assets.marken.schema import Kind

LANGUAGE = {"property": "language"}
MOST_TERMS = 20
"""Words and phrases of one MATCH."""


def matched(args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """`MATCH(property, 'words "a phrase"')`, all of them; a third argument is the language of the words.

    Without it they are read as each annotation's text was: in its own `language` where its type has that, else in the
    language that the type gives the property.
    """
    asking.arguments("match", args, path, 2, 3)
    column = asking.column(args[0], (*path, "args", 0))
    if column is None or column.kind is not Kind.TEXT:
        what = f"{column.name!r} is of kind {column.kind}" if column else "here is no property"
        raise asking.refusal((*path, "args", 0), f"MATCH searches a property of kind text; {what}.")
    text = asking.string(args[1], (*path, "args", 1), "What MATCH searches for")
    stems = Column(f"{column.name}_stems", Kind.STRINGS, column.name)
    if len(args) == 3:
        language = asking.string(args[2], (*path, "args", 2), "A language")
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", language):
            raise asking.refusal(
                (*path, "args", 2), f"A language is a tag such as 'en' or 'pt-BR', not {language[:60]!r}."
            )
        return _read(text, language, stems, path, asking)
    usual = sorted({one.properties[column.name].language for one in asking.having(column)})
    read = _any_of([_read(text, language, stems, path, asking) for language in usual])
    own = asking.column(LANGUAGE, path) if any("language" in one.properties for one in asking.having(column)) else None
    if own is None or own.kind is not Kind.STRING:
        return read
    # tags whose words are cut alike are one condition
    spoken: dict[tuple[words.Term, ...], list[str]] = {}
    for tag in asking.snapshot.distinct(asking.having(own), own.name):
        spoken.setdefault(tuple(words.phrase(text, tag)), []).append(tag)
    found: list[Node] = [And((IsNull(own), read))]
    for tags in spoken.values():
        among = OneOf(own, tuple(map(Value, tags)))
        found.append(And((among, _read(text, tags[0], stems, path, asking))))
    return _any_of(found)


def _any_of(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


def _read(text: str, language: str, stems: Column, path: Path, asking: Asking) -> Node:
    """The condition on stems that words are in a language."""
    terms = words.phrase(text, language)
    if not 0 < len(terms) <= MOST_TERMS:
        raise asking.refusal(
            (*path, "args", 1), f"MATCH takes 1 to {MOST_TERMS} words or phrases; here are {len(terms)}."
        )
    known = asking.snapshot.words(asking.having(stems), stems.property)
    nodes: list[Node] = [
        HasRun(stems, term.stems) if term.phrase else HasAny(stems, tuple(words.near(term.text, known, language)))
        for term in terms
    ]
    return nodes[0] if len(nodes) == 1 else And(tuple(nodes))
