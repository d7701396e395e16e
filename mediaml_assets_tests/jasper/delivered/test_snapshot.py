"""Everything that a file says of itself is kept, also what is not UTF-8 and streams that nobody reads."""

from fractions import Fraction
from pathlib import Path

import av

from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.delivered.snapshot import chosen_facts, said

from ..clips import Clip, render, steady


def test_all_streams_with_all_facts(tmp_path: Path) -> None:
    film = render(tmp_path / "film.mp4", Clip(steady(25, 50), bursts=[0.2], tags={"title": "The film", "artist": "Å"}))
    facts = {(stream, name): value for stream, name, value in said(film)}
    assert facts[-1, "container"].startswith("mov") and facts[-1, "tag.title"] == "The film"
    assert facts[-1, "tag.artist"] == "Å" and facts[-1, "size"] == str(film.stat().st_size)
    picture = {name: value for (stream, name), value in facts.items() if stream == 0}
    assert (picture["type"], picture["codec"], picture["width"], picture["height"]) == ("video", "h264", "320", "180")
    assert (picture["average_rate"], picture["frames"], picture["pix_fmt"]) == ("25/1", "50", "yuv420p")
    assert "default" in picture["disposition"] and picture["profile"]
    sound = {name: value for (stream, name), value in facts.items() if stream == 1}
    assert (sound["type"], sound["codec"], sound["sample_rate"], sound["layout"]) == ("audio", "aac", "48000", "mono")


def test_languages_dispositions_and_chapters(tmp_path: Path) -> None:
    film = render(tmp_path / "film.mkv", Clip(steady(25, 50)))
    path = tmp_path / "chapters.mkv"
    with av.open(str(film)) as given, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(given.streams.video[0])
        copy.metadata["language"] = "fin"
        copy.disposition = av.stream.Disposition.default | av.stream.Disposition.original
        out.set_chapters([
            {"id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}},
        ])  # fmt: skip
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    facts = {(stream, name): value for stream, name, value in said(path)}
    assert facts[0, "tag.language"] == "fin" and facts[0, "disposition"] == "default, original"
    assert facts[-1, "chapter.0.title"] == "One" and facts[-1, "chapter.0.end"] == "1.000 s"


def test_tags_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    film = render(tmp_path / "film.mp4", Clip(steady(25, 10), tags={"title": "café noir", "artist": "été"}))
    data = film.read_bytes()
    assert data.count("café".encode()) == 1
    film.write_bytes(data.replace("café".encode(), b"caf\xe9 "))
    facts = {name: value for stream, name, value in said(film) if stream == -1}
    assert (facts["tag.title"], facts["tag.artist"]) == ("café  noir", "été")
    assert probe(film).tags["title"] == "café  noir"


def test_a_real_file_with_tags_in_another_encoding(shared: Path) -> None:
    [path] = (shared / "media" / "nasty").glob("non-utf8*")
    for _, _, value in said(path):
        value.encode("utf-8")


def test_facts_of_the_chosen_streams_have_names_and_words(tmp_path: Path) -> None:
    facts = {one["name"]: one["value"] for one in chosen_facts(probe(render(tmp_path / "f.mkv", Clip(steady(25, 10)))))}
    assert (facts["picture.codec"], facts["picture.sample_aspect"]) == ("h264", "1/1")
    assert not any(name.startswith("sound.") for name in facts)
