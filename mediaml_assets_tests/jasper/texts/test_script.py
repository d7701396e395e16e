"""Scripts: what each line of a Fountain or plain text file is."""

import time
from pathlib import Path

import pytest

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.texts import script
from mediaml_assets.jasper.texts.script import read_script

FOUNTAIN = """Title: Night Train
Author: Somebody

# Act One

INT. TRAIN - NIGHT #12A#

Anna *sleeps* in the _last_ car. 3 * 4 * 5.
The train slows.

ANNA (O.S.)
(waking)
Who is **there**?
A friend?

.FLASHBACK

@McCOY
Me.

/* left
out */CUT TO:

ext. platform - day

> FADE OUT.
> THE END <
[[a note]]
EXTERIOR IS NO HEADING
"""


def kinds(path: Path, content: str | bytes) -> list[tuple[str, str, int]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    lines = read_script(path)
    assert [one.index for one in lines] == list(range(len(lines))) and {one.kind for one in lines} <= set(script.KINDS)
    return [(one.kind, one.text, one.scene) for one in lines]


def test_fountain(tmp_path: Path) -> None:
    assert kinds(tmp_path / "a.fountain", FOUNTAIN) == [
        ("title", "Title: Night Train", 0),
        ("title", "Author: Somebody", 0),
        ("section", "Act One", 0),
        ("scene", "INT. TRAIN - NIGHT", 1),
        ("action", "Anna sleeps in the last car. 3 * 4 * 5.", 1),
        ("action", "The train slows.", 1),
        ("character", "ANNA", 1),
        ("parenthetical", "(waking)", 1),
        ("dialogue", "Who is there?", 1),
        ("dialogue", "A friend?", 1),
        ("scene", "FLASHBACK", 2),
        ("character", "McCOY", 2),
        ("dialogue", "Me.", 2),
        ("transition", "CUT TO:", 2),
        ("scene", "ext. platform - day", 3),
        ("transition", "FADE OUT.", 3),
        ("action", "THE END", 3),
        ("action", "EXTERIOR IS NO HEADING", 3),
    ]


def test_plain_text_in_any_encoding(tmp_path: Path) -> None:
    text = "A letter.\r\n\r\nEXT. CAFÉ - DAY\r\n\r\nÈve waits.\r\n"
    expected = [("action", "A letter.", 0), ("scene", "EXT. CAFÉ - DAY", 1), ("action", "Ève waits.", 1)]
    for encoding in ("utf-8", "utf-16", "cp1252"):
        assert kinds(tmp_path / "a.txt", text.encode(encoding)) == expected


def test_what_is_no_script_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content, reason in (
        (b"", "is empty"),
        (b"%PDF-1.7\n\xe2\xe3", "is a PDF.*export the script"),
        (bytes(99), "no text|empty"),
    ):
        (tmp_path / "a.script.pdf").write_bytes(content)
        if content == bytes(99):
            assert read_script(tmp_path / "a.script.pdf") == ()
            continue
        with pytest.raises(MediaRefused, match=reason):
            read_script(tmp_path / "a.script.pdf")
    monkeypatch.setattr(script, "MOST_LINES", 2)
    (tmp_path / "a.txt").write_text("a\nb\nc\n")
    with pytest.raises(MediaRefused, match="has more than 2 lines"):
        read_script(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "content", ["*a" * 100_000, "/*" * 2_000_000, "[[" * 2_000_000, "**" * 1_000_000, "A (" * 1_000_000]
)
def test_a_script_made_to_take_long_takes_seconds(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.txt").write_text(content)
    began = time.process_time()
    read_script(tmp_path / "a.txt")
    assert time.process_time() - began < 10
