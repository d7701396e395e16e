"""XML from strangers as a tree: without a document type no entity is there to expand or to read a file."""

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from mediaml_assets.errors import MediaRefused

DEEPEST = 64
"""Elements within one another, at most."""


def parsed(text: str, name: str) -> Element:
    """The root element of an XML document; names are `namespace}tag` in braces, as ElementTree has them.

    Raises:
        MediaRefused: it is no well-formed XML, has a document type, or elements are nested deeper than `DEEPEST`.
    """
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise MediaRefused(f"{name} has elements nested deeper than {DEEPEST}; deliver a plainer file")
        builder.start(_name(tag), {_name(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_name(tag))

    def refuse(*_: object) -> NoReturn:
        raise MediaRefused(f"{name} has a document type (<!DOCTYPE ...>), which timed text needs not; take it out")

    parser = expat.ParserCreate(encoding="utf-8", namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        # the bytes were decoded before, whatever the declaration says of them
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise MediaRefused(f"{name} is no well-formed XML ({error}); deliver it again") from error
    return builder.close()


def _name(tag: str) -> str:
    return f"{{{tag}" if "}" in tag else tag
