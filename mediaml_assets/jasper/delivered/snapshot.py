"""Everything that a delivered file says of itself, as plain words: what is kept so that nobody has to open it again."""

from collections.abc import Iterator
from dataclasses import fields
from enum import Flag
from fractions import Fraction
from typing import Any

from mediaml_assets.jasper.delivered.container import opened, tags_of
from mediaml_assets.jasper.delivered.probe import Probe, codec_name, probe
from mediaml_assets.jasper.files import MediaFile

Fact = tuple[int, str, str]
"""Stream (-1 is the container itself), name, value."""

_CODEC = ("profile", "width", "height", "pix_fmt", "bit_rate", "sample_rate", "channels", "field_order",
          "color_range", "colorspace", "color_primaries", "color_trc")  # fmt: skip
_STREAM = ("sample_aspect_ratio", "average_rate", "base_rate", "time_base", "start_time", "duration", "frames")


def said(file: MediaFile) -> list[Fact]:
    """All facts of a film's file, its streams and chapters, whether or not they are read.

    Raises:
        MediaRefused: the file is no film, see `probe`.
    """
    label = probe(file).timecode
    facts = [] if label is None else [(-1, "timecode", str(label)), (-1, "timecode.rate", str(label.rate))]
    with opened(file) as container:
        facts += [(-1, "container", container.format.name), *_tags(-1, container.metadata)]
        facts += [
            (-1, name, _text(getattr(container, name))) for name in ("duration", "start_time", "bit_rate", "size")
        ]
        for number, chapter in enumerate(container.chapters()):
            for edge in ("start", "end"):
                seconds = float(chapter[edge] * chapter["time_base"])
                facts.append((-1, f"chapter.{number}.{edge}", f"{seconds:.3f} s"))
            facts += [(-1, f"chapter.{number}.{name}", value) for name, value in tags_of(chapter["metadata"]).items()]
        for stream in container.streams:
            facts += _of_stream(stream)
    return [(stream, name, value) for stream, name, value in facts if value]


def chosen_facts(probed: Probe) -> list[dict[str, str]]:
    """What `probe` found of the chosen streams, by name, as the rows of a column."""
    found = [("container", probed.container)]
    for part, facts in (("picture", probed.video), ("sound", probed.audio)):
        if facts is not None:
            found += [(f"{part}.{one.name}", _text(getattr(facts, one.name))) for one in fields(facts)]
    return [{"name": name, "value": value} for name, value in found if value]


def _of_stream(stream: Any) -> Iterator[Fact]:
    at, context = stream.index, stream.codec_context
    yield at, "type", stream.type
    yield at, "codec", codec_name(stream)
    yield from ((at, name, _text(getattr(stream, name, None))) for name in _STREAM)
    yield from ((at, name, _text(getattr(context, name, None))) for name in _CODEC)
    if stream.type == "audio" and context is not None:
        yield at, "layout", context.layout.name
    yield at, "disposition", _text(stream.disposition)
    yield from _tags(at, stream.metadata)


def _tags(stream: int, metadata: Any) -> Iterator[Fact]:
    return ((stream, f"tag.{name}", value) for name, value in sorted(tags_of(metadata).items()))


def _text(value: Any) -> str:
    """A fact in words; empty when it is unsaid."""
    if value is None:
        return ""
    if isinstance(value, Flag):
        return ", ".join(sorted(str(one.name) for one in value))
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return str(value)
