"""Subtitle files of each format, whole and broken: what is read of them, and when it is shown."""

import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.texts import read
from mediaml_assets.jasper.texts.cues import Cue
from mediaml_assets.jasper.texts.read import read_subtitles

TTML = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
    'xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" {}>{}</tt>'
)
ASS = (
    "[Script Info]\nTitle: x\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.sub"


def cues(file: Path, content: str | bytes, language: str | None = None) -> list[tuple[float, float, str]]:
    return [(float(one.start), float(one.end), one.text) for one in whole(file, content, language)]


def whole(file: Path, content: str | bytes, language: str | None = None) -> tuple[Cue, ...]:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_subtitles(file, language).cues


def refusal(file: Path, content: str | bytes) -> str:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(MediaRefused) as caught:
        read_subtitles(file)
    return str(caught.value)


# --- SubRip


def test_subrip(file: Path) -> None:
    text = "1\n00:00:01,500 --> 00:00:02,000 X1:10 X2:20\nTwo\nlines\n\n2\n01:00:00,001 --> 01:00:01,000\nLate\n"
    for content in (text, text.replace("\n", "\r\n"), text.replace("\n", "\r"), "\ufeff" + text, "\n\n" + text):
        assert cues(file, content) == [(1.5, 2.0, "Two\nlines"), (3600.001, 3601.0, "Late")]


def test_subrip_with_no_blank_lines_no_numbers_or_too_many(file: Path) -> None:
    dense = "1\n00:00:01,000 --> 00:00:02,000\nIt was\n1984\n2\n00:00:03,000 --> 00:00:04,000\nThen\n"
    assert cues(file, dense) == [(1, 2, "It was\n1984"), (3, 4, "Then")]
    bare = "00:00:01,000 --> 00:00:02,000\nIt was\n\n\n00:00:03,000 --> 00:00:04,000\n\nThen\n\nagain\n\n\n"
    assert cues(file, bare) == [(1, 2, "It was"), (3, 4, "Then\n\nagain")]
    odd = "7\n00:00:01.5 -> 0:0:2\nx\n\n7\n00:00:03:250 --> 00:00:04,000\ny"
    assert cues(file, odd) == [(1.5, 2, "x"), (3.25, 4, "y")]


def test_times_that_run_backwards_overlap_or_lie_below_zero(file: Path) -> None:
    text = (
        "00:00:05,000 --> 00:00:04,000\nreversed\n\n00:00:03,000 --> 00:00:03,000\nno time\n\n"
        "00:00:02,000 --> 00:00:09,000\nlong\n\n00:00:01,000 --> 00:00:03,000\nearly\n\n"
        "-00:00:01,000 --> 00:00:01,000\nbefore\n\n-00:00:03,000 --> -00:00:01,000\ngone\n\n"
        "00:00:06,000 --> 00:00:07,000\n\n"
    )
    assert cues(file, text) == [(0, 1, "before"), (1, 3, "early"), (2, 9, "long")]
    assert read_subtitles(file).dropped == 4


def test_markup_of_subrip(file: Path) -> None:
    text = (
        "00:00:01,000 --> 00:00:02,000\n{\\an8}"
        '<font color="#fff">Tom &amp; <I>Je<b>r</i>ry</b></font> <sighs> 1 < 2 &copy'
        "\n\n00:00:03,000 --> 00:00:04,000\n{y:i}<i>All\nof it</i>"
    )
    first, second = whole(file, text)
    assert first.text == "Tom & Jerry <sighs> 1 < 2 &copy"
    assert first.markup == "Tom &amp; <i>Je</i><b><i>r</i>ry</b> &lt;sighs&gt; 1 &lt; 2 &amp;copy"
    assert (second.text, second.markup) == ("All\nof it", "<i>All\nof it</i>")


# --- WebVTT


def test_webvtt(file: Path) -> None:
    text = (
        "WEBVTT - title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\n"
        "REGION\nid:a\n\nNOTE one --- two\nstill a note\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start line:0%\n<v.loud Anna Lee>Hello &lt;you&gt; <i>there</i></v>\n"
        "<00:01.500><c>now</c>\n\nNOTE\nx\n\n01:00:00.000 --> 01:00:01.000\n- One\n- Two\n\n"
        "00:05.000 --> 00:06.000\na\n00:07.000 --> 00:08.000\nb\n"
    )
    one, two, three, four = whole(file, text)
    assert (one.text, one.speaker, one.style) == ("Hello <you> there\nnow", "Anna Lee", "loud")
    assert one.markup == "Hello &lt;you&gt; <i>there</i>\nnow"
    assert (two.text, three.text, four.start) == ("a", "b", 3600)
    assert (two.start, three.start, four.text) == (5, 7, "- One\n- Two")
    assert cues(file, "WEBVTT") == [] and cues(file, "WEBVTT\n00:01.000 --> 00:02.000\nx") == [(1, 2, "x")]


@pytest.mark.parametrize("language", ["de", "en", "es"])
def test_real_webvtt(shared: Path, language: str) -> None:
    file = shared / "media" / "films" / f"sintel-short.{language}.vtt"
    found = read_subtitles(file)
    assert (found.format, found.dropped, len(found.cues)) == ("vtt", 0, 14)
    assert all(one.text and one.end > one.start for one in found.cues)


# --- ASS


def test_ass(file: Path) -> None:
    text = ASS + (
        "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,a note\n"
        "Dialogue: 0,0:00:01.50,0:00:02.00,Sign,Anna,0,0,0,,"
        "{\\pos(1,2)\\i1}Hello,{\\i0} you\\Nthere\\h!{\\b700}B{\\r}\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,*Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}Drawn\n"
        "Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n"
        "Dialogue: 0,bad,0:00:06.00,Default,,0,0,0,,bad\n[Fonts]\nDialogue: 0,0:00:07.00,0:00:08.00,,,0,0,0,,no"
    )
    first, second = whole(file, text)
    assert (first.start, first.end, first.speaker, first.style) == (Fraction(3, 2), 2, "Anna", "Sign")
    assert (first.text, first.markup) == ("Hello, you\nthere !B", "<i>Hello,</i> you\nthere !<b>B</b>")
    assert (second.text, second.style, second.markup) == ("Drawn", None, "")
    assert read_subtitles(file).dropped == 1
    ssa = "[Script Info]\n[Events]\nFormat: Marked, Start, End, Text\nDialogue: Marked=0,0:00:01.00,0:00:02.00,a, b\n"
    assert cues(file, ssa) == [(1, 2, "a, b")]


# --- TTML


def ttml(file: Path, body: str, attributes: str = "") -> list[tuple[Fraction, Fraction, str]]:
    return [(one.start, one.end, one.text) for one in whole(file, TTML.format(attributes, body))]


def test_ttml_times(file: Path) -> None:
    rate = 'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" ttp:tickRate="10000000"'
    body = "<body><div>{}</div></body>"
    for begin, end, start, stop in (
        ("00:00:01.500", "00:00:02", Fraction(3, 2), Fraction(2)),
        ("00:00:01:15", "00:00:02:00", 1 + Fraction(15 * 1001, 30_000), Fraction(2)),
        ("15000000t", "2s", Fraction(3, 2), Fraction(2)),
        ("30f", "1500ms", Fraction(1001, 1000), Fraction(3, 2)),
        ("0.5m", "0.01h", Fraction(30), Fraction(36)),
    ):
        assert ttml(file, body.format(f'<p begin="{begin}" end="{end}">x</p>'), rate) == [(start, stop, "x")]
    smpte = 'ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" ttp:dropMode="dropNTSC"'
    # the timecode of an hour in drop frame is an hour less 3.6 ms
    paragraph = body.format('<p begin="01:00:00:00" dur="1s">x</p>')
    assert ttml(file, paragraph, smpte)[0][0] == Fraction(107_892 * 1001, 30_000)
    assert ttml(file, paragraph, smpte.replace("dropNTSC", "nonDrop"))[0][0] == Fraction(3600 * 1001, 1000)


def test_ttml_times_within_times(file: Path) -> None:
    body = (
        '<body begin="10s" end="60s"><div begin="1s" timeContainer="seq"><p dur="2s">a</p><p begin="1s" dur="2s">b</p>'
        '</div><div end="5s"><p>c</p><p begin="2s" end="90s">d</p></div>'
        '<div><p begin="20s" dur="4s">e <span begin="1s" end="2s">f</span> g</p>'
        '<p begin="49s" dur="9s">h</p></div></body>'
    )
    assert ttml(file, body) == [
        (10, 15, "c"), (11, 13, "a"), (12, 15, "d"), (14, 16, "b"), (30, 34, "e g"), (31, 32, "f"), (59, 60, "h"),
    ]  # fmt: skip


def test_ttml_text_styles_speakers_and_languages(file: Path) -> None:
    head = (
        '<head><metadata><ttm:agent xml:id="anna"><ttm:name>Anna Lee</ttm:name></ttm:agent></metadata><styling>'
        '<style xml:id="base" tts:fontWeight="bold"/>'
        '<style xml:id="loud" style="base" tts:fontStyle="italic"/></styling>'
        '<layout><region xml:id="r"/></layout></head>'
    )
    body = (
        '<body xml:lang="de"><div><p xml:id="p" region="r" begin="1s" end="2s" style="loud" ttm:agent="anna">'
        "\n  <metadata>"
        "<ttm:desc>no</ttm:desc></metadata> Guten "
        '<br/> <span tts:fontStyle="normal">Tag &amp;   <!-- no -->mehr</span>\n'
        '</p><p xml:lang="fr-ca" begin="3s" end="4s" xml:space="preserve">a  b</p></div></body>'
    )
    first, second = whole(file, TTML.format('xml:lang="en"', head + body))
    assert (first.text, first.speaker, first.style, first.language) == ("Guten\nTag & mehr", "Anna Lee", "loud", "de")
    assert first.markup == "<b><i>Guten</i></b>\n<b>Tag &amp; mehr</b>"
    assert (second.text, second.language, second.markup) == ("a  b", "fr-ca", "")


def test_ttml_that_has_no_end_or_no_text(file: Path) -> None:
    assert ttml(file, '<body><div><p begin="1s">for ever</p><p begin="1s" end="2s"> <br/> </p></div></body>') == []
    assert read_subtitles(file).dropped == 1
    assert ttml(file, "") == []
    image = '<body><div begin="1s" end="2s"><image src="a.png"/></div></body>'
    assert "pictures of text" in refusal(file, TTML.format("", image))


def test_xml_that_would_expand_or_read_files_is_refused(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    paragraph = '<body><div><p begin="1s" end="2s">{}</p></div></body>'
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    for doctype, entity in (
        (f'<!DOCTYPE tt [<!ENTITY a0 "ha">{laughs}]>', "&a9;"),
        (f'<!DOCTYPE tt [<!ENTITY x SYSTEM "file://{secret}">]>', "&x;"),
        (f'<!DOCTYPE tt [<!ENTITY % x SYSTEM "file://{secret}"> %x;]>', "x"),
        (f'<!DOCTYPE tt SYSTEM "file://{secret}">', "x"),
    ):
        text = f'<?xml version="1.0"?>{doctype}' + TTML.format("", paragraph.format(entity))
        began = time.monotonic()
        assert "has a document type" in refusal(file, text)
        assert time.monotonic() - began < 5
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{}" parse="text"/>'
    assert ttml(file, paragraph.format("a" + include.format(secret))) == [(1, 2, "a")]
    assert "no well-formed XML" in refusal(file, TTML.format("", paragraph.format("&x;")))
    assert "no well-formed XML" in refusal(file, TTML.format("", "<body><div>"))
    assert "nested deeper than 64" in refusal(file, TTML.format("", "<div>" * 200_000))
    assert "its root is 'html'" in refusal(file, '<?xml version="1.0"?><html/>')


@pytest.mark.parametrize("bad", ['begin="soon"', 'begin="1:2:3"', 'begin="-1s"', 'begin="1e9s"', 'begin=""'])
def test_a_ttml_time_that_is_none_is_refused(file: Path, bad: str) -> None:
    text = TTML.format("", f'<body><div><p {bad} end="9s">x</p></div></body>')
    assert "has a time that cannot be read" in refusal(file, text)
    assert "has a rate that cannot be" in refusal(file, TTML.format('ttp:frameRate="0"', "<body/>"))


# --- encodings

FRENCH = "1\n00:00:01,000 --> 00:00:02,000\nOù êtes-vous allé ?\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_a_text_in_any_encoding(file: Path, encoding: str) -> None:
    assert cues(file, FRENCH.encode(encoding)) == [(1, 2, "Où êtes-vous allé ?")]


@pytest.mark.parametrize(
    ("text", "encoding", "language"),
    [
        ("Где ты был всю ночь? Я не знаю.", "cp1251", None),
        ("Πού ήσουν όλη τη νύχτα; Δεν ξέρω.", "cp1253", None),
        ("今夜はどこにいましたか。私は知りません。", "shift_jis", None),
        ("Nie wiem, proszę cię. Żółć i gęś.", "cp1250", "pl"),
        ("Nereye gidiyorsun? Şimdi değil.", "cp1254", "tr"),
        ("Ich weiß: schöne Grüße „aus“ München", "cp1252", "de"),
    ],
)
def test_old_code_pages(file: Path, text: str, encoding: str, language: str | None) -> None:
    content = f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n".encode(encoding)
    assert cues(file, content, language) == [(1, 2, text)]


# --- bounds


def test_what_is_no_subtitle_file_is_refused_with_the_reason(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is empty" in refusal(file, b"")
    assert "holds no subtitles" in refusal(file, "Dear all,\nthe subtitles follow.\n")
    assert "is no text" in refusal(file, bytes(range(256)) * 10)
    assert "is larger than 16 MiB" in refusal(file, b"x" * (16 << 20) + b"y")
    file.unlink()
    with pytest.raises(MediaRefused, match=r"a\.sub cannot be opened"):
        read_subtitles(file)
    monkeypatch.setattr(read, "MOST_CUES", 3)
    many = "".join(f"00:00:0{n},000 --> 00:00:0{n},500\nx\n\n" for n in range(4))
    assert "has more than 3 cues" in refusal(file, many)


@pytest.mark.parametrize(
    "content",
    [
        "00:00:01,000 --> 00:00:02,000\n" + "<a" * 500_000,
        "00:00:01,000 --> 00:00:02,000\n<" + "a" * 1_000_000,
        "00:00:01,000 --> 00:00:02,000\n" + "{\\" * 500_000,
        "00:00:01,000 --> 00:00:02,000\n" + "&a" * 500_000,
        "00:00:01,000 --> 00:00:02,000\n" + "<i>" * 250_000,
        "00:00:01,000 --> 00:00:02,000\n" + "<i>x</i>" * 100_000,
        "00:00:01,000" + " " * 1_000_000 + "-",
        "00:00:01,000 -->" + " " * 1_000_000 + "x",
        "WEBVTT\n\n" + "x\n" * 250_000 + "00:01.000 --> 00:02.000\n" * 100_000,
        ASS + "Dialogue: 0,0:00:01.00,0:00:02.00,,,,,,," + "{\\i1}{\\i0}x" * 75_000,
        TTML.format("", '<body><div><p begin="1s" end="2s">' + "<br/>x " * 100_000 + "</p></div></body>"),
        TTML.format("", "<body>" + '<div style="' + "a " * 500_000 + '"/></body>'),
    ],
    ids=range(12),
)
def test_a_text_made_to_take_long_takes_seconds(file: Path, content: str) -> None:
    file.write_text(content)
    began = time.process_time()
    try:
        read_subtitles(file)
    except MediaRefused as refused:
        assert "deliver" in str(refused)
    assert time.process_time() - began < 8


# --- laws

MOMENTS = st.integers(0, 99 * 3_600_000)
SAID = st.text(st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="<>&{}\\-"), min_size=1, max_size=30)


@given(st.lists(st.tuples(MOMENTS, st.integers(1, 10_000), SAID.map(str.strip).filter(bool)), min_size=1, max_size=8))
def test_times_written_in_any_format_are_read_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[int, int, str]]
) -> None:
    file = tmp_path_factory.getbasetemp() / "round_trip.sub"
    said = [(start, start + length, f"a{text}") for start, length, text in said]

    def clock(ms: int, point: str) -> str:
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"

    srt = "\n\n".join(f"{n}\n{clock(a, ',')} --> {clock(b, ',')}\n{text}" for n, (a, b, text) in enumerate(said))
    vtt = "WEBVTT\n\n" + "\n\n".join(f"{clock(a, '.')} --> {clock(b, '.')}\n{text}" for a, b, text in said)
    xml = TTML.format(
        'xml:space="preserve"',
        "<body><div>"
        + "".join(f'<p begin="{a}ms" end="{clock(b, ".")}">{text}</p>' for a, b, text in said)
        + "</div></body>",
    )
    ass = ASS + "\n".join(f"Dialogue: 0,{clock(a, '.')},{clock(b, '.')},,,,,,,{text}" for a, b, text in said)
    expected = sorted((Fraction(a, 1000), Fraction(b, 1000), text) for a, b, text in said)
    for content in (srt, vtt, xml, ass):
        found = [(one.start, one.end, one.text) for one in whole(file, content)]
        assert sorted(found) == expected
        assert [one[:2] for one in found] == [one[:2] for one in expected]
