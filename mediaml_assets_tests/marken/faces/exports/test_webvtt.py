"""What is written is read back by the reader of delivered subtitles, which knows nothing of annotations."""

import json
import re
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.jasper.texts.cues import Cue
from mediaml_assets.jasper.texts.read import read_subtitles
from mediaml_assets.jasper.texts.subrip import webvtt_cues
from mediaml_assets.marken.faces.exports.webvtt import write_webvtt

from .forms import HOSTILE, TEXTS, form


def read(out: BytesIO) -> list[Cue]:
    return list(webvtt_cues(out.getvalue().decode()))


def payloads(out: BytesIO) -> list[str]:
    """What the cues hold, raw, as https://www.w3.org/TR/webvtt1/#file-parsing collects blocks."""
    text = out.getvalue().decode().replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    head, *blocks = re.split(r"\n\n+", text)
    assert head.strip("\n") == "WEBVTT"
    found = []
    for block in blocks:
        lines = block.strip("\n").split("\n")
        (timed,) = (number for number, line in enumerate(lines[:2]) if "-->" in line)
        assert not any("-->" in line for line in lines[timed + 1 :])
        found.append("\n".join(lines[timed + 1 :]))
    return found


def test_text_cues_of_a_file_are_known(tmp_path: Path) -> None:
    out = BytesIO()
    pages = [
        [form(1, time={"start": 1.5, "end": 3725.0625}, label="a red\ncar & <b>more</b>")],
        [form(2, time={"start": 2, "end": 2.0001}, label="short")],
    ]
    assert write_webvtt(pages, out, "harbour-film", "text") == 2
    assert out.getvalue().decode() == (
        "WEBVTT\n\none-1@3\n00:00:01.500 --> 01:02:05.062\na red car &amp; &lt;b&gt;more&lt;/b&gt;\n"
        "\none-2@3\n00:00:02.000 --> 00:00:02.001\nshort\n"
    )
    (tmp_path / "cues.vtt").write_bytes(out.getvalue())
    found = read_subtitles(tmp_path / "cues.vtt")
    assert (found.format, found.dropped) == ("vtt", 0)
    assert [(one.start, one.end, one.text) for one in found.cues] == [
        (Fraction(3, 2), Fraction("3725.062"), "a red car & <b>more</b>"),
        (Fraction(2), Fraction("2.001"), "short"),
    ]


@given(st.lists(TEXTS, max_size=5))
def test_no_label_ends_a_cue_begins_another_or_is_markup(labels: list[str]) -> None:
    forms = [form(n, time={"start": n, "end": n + 1}, label=label) for n, label in enumerate(labels)]
    out = BytesIO()
    assert write_webvtt([forms], out, "harbour-film") == len(forms)
    assert [json.loads(payload) for payload in payloads(out)] == forms
    assert "<" not in out.getvalue().decode() and out.getvalue().count(b">") == len(forms)
    out = BytesIO()
    told = write_webvtt([forms], out, "harbour-film", "text")
    cues = read(out)
    assert len(payloads(out)) == len(cues) == told
    assert not any(cue.markup or cue.speaker or cue.style for cue in cues)


@pytest.mark.parametrize("label", [one for one in HOSTILE if "\n" not in one and "\r" not in one and "\0" not in one])
def test_a_hostile_label_is_read_as_it_was_said(label: str) -> None:
    out = BytesIO()
    write_webvtt([[form(time={"start": 0, "end": 1}, label=label)]], out, "harbour-film", "text")
    (cue,) = read(out)
    assert cue.text.split() == label.split()


def test_a_hostile_id_names_a_cue_and_is_none() -> None:
    one = form(time={"start": 5, "end": 6}, label="x") | {"id": "a\n\n00:00:00.000 --> 00:00:09.000\nforged"}
    out = BytesIO()
    write_webvtt([[one]], out, "harbour-film", "text")
    assert [(cue.start, cue.text) for cue in read(out)] == [(5, "x")]


def test_what_is_of_another_clock_or_has_no_time_or_no_words_is_no_cue() -> None:
    pages = [
        [form(label="no time"), form(time={"start": 0, "end": 1}), form(time={"start": 0, "end": 1}, label=" \n ")],
        [form(time={"start": 0, "end": 1}, label="x") | {"title": "other-film", "other_title": "harbour-film"}],
    ]
    out = BytesIO()
    assert write_webvtt(pages, out, "harbour-film", "text") == 0 and read(out) == []
    assert write_webvtt(pages, BytesIO(), "harbour-film") == 2
