"""Reading a delivered subtitle file: its format is told by what it holds, never by its name."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.texts.ass import ass_cues
from mediaml_assets.jasper.texts.cues import MOST_CUES, Cue, Subtitles, shown
from mediaml_assets.jasper.texts.encoding import read_bytes, text_of
from mediaml_assets.jasper.texts.subrip import has_time_line, subrip_cues, webvtt_cues
from mediaml_assets.jasper.texts.ttml import ttml_cues

_XML = re.compile(r"\s*<(?:\?xml\b|!|[A-Za-z_][\w.-]*:?tt\b|tt\b)")
_ASS = re.compile(r"^\[(?:script info|v4\+? styles|events)\]\s*$", re.I | re.M)


def read_subtitles(file: MediaFile, language: str | None = None) -> Subtitles:
    """Read an SRT, WebVTT, TTML or ASS file whole.

    Times count from the file's own zero, which players take for the start of the film: its first picture.

    Args:
        file: at most 16 MiB.
        language: of its text, where known; it helps to tell old encodings apart.

    Raises:
        MediaRefused: it is missing, empty, too large, no text, none of these formats, malformed XML, or has more than
            `MOST_CUES` cues.
    """
    text, encoding = text_of(read_bytes(file), file.name, language)
    name, found = _cues_in(text, file.name)
    cues = list(islice(found, MOST_CUES + 1))
    if len(cues) > MOST_CUES:
        raise MediaRefused(f"{file.name} has more than {MOST_CUES:,} cues; deliver the subtitles of one film")
    return replace(shown(cues, name), encoding=encoding)


def _cues_in(text: str, name: str) -> tuple[str, Iterator[Cue]]:
    head = text[:4096]
    if head.lstrip().startswith("WEBVTT"):
        return "vtt", webvtt_cues(text)
    if _XML.match(head):
        return "ttml", ttml_cues(text, name)
    if _ASS.search(head):
        return "ass", ass_cues(text)
    if has_time_line(text):
        return "srt", subrip_cues(text)
    raise MediaRefused(
        f"{name} holds no subtitles: no line says from when to when it is shown; deliver SRT, WebVTT, TTML or ASS"
    )
