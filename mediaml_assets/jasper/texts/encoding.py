"""The text in a delivered file, whatever it was encoded as."""

import codecs

from charset_normalizer import from_bytes

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import MediaFile, open_binary

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a text, at most: the subtitles of a long film have 200 kB."""

_SAMPLE = 32 * 1024
"""Bytes that an old encoding is guessed from."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_SCRIPTS = ["cp1251", "cp1253", "cp1255", "cp1256", "cp932", "gb18030", "big5", "cp949"]
"""Cyrillic, Greek, Hebrew, Arabic, Japanese, Chinese (2), Korean: a few lines tell these apart."""
_LATIN = {
    **dict.fromkeys(("pl", "cs", "sk", "hu", "sl", "hr", "bs", "ro", "sq"), "cp1250"),
    **dict.fromkeys(("et", "lv", "lt"), "cp1257"),
    "tr": "cp1254",
    "vi": "cp1258",
}
"""Language -> its old Latin code page, which no detector can tell from Western Europe's by a few letters."""


def read_bytes(file: MediaFile, most: int = MOST_BYTES) -> bytes:
    """All of a small file.

    Raises:
        MediaRefused: it is missing, may not be read, is empty, or is larger than `most` bytes.
    """
    try:
        with open_binary(file) as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise MediaRefused(f"{file.name} cannot be opened ({error.strerror}); deliver it again") from error
    if not data:
        raise MediaRefused(f"{file.name} is empty; deliver it again")
    if len(data) > most:
        raise MediaRefused(f"{file.name} is larger than {most >> 20} MiB; deliver a smaller file")
    return data


def text_of(data: bytes, name: str, language: str | None = None) -> tuple[str, str]:
    """Decode a text: by its byte order mark, else as UTF-8, UTF-16 without a mark, or an old code page.

    Args:
        data: all bytes.
        name: of the file, for messages.
        language: of the text, where known: it decides among the Latin code pages.

    Returns:
        The text, its lines ended by line feeds only, and the name of the encoding.

    Raises:
        MediaRefused: it is no text.
    """
    encoding, skip = _marked(data)
    if encoding is None:
        encoding = _utf16(data) or ("utf-8" if _is_utf8(data) else _old(data, language))
    text = data[skip:].decode(encoding, "replace")
    if "\0" in text.rstrip("\0"):
        raise MediaRefused(f"{name} is no text: it holds zero bytes; deliver it as UTF-8")
    return text.rstrip("\0").replace("\r\n", "\n").replace("\r", "\n"), encoding


def _marked(data: bytes) -> tuple[str | None, int]:
    return next(((name, len(mark)) for mark, name in _MARKS if data.startswith(mark)), (None, 0))


def _utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: of plain text nearly every second byte is zero."""
    head = data[:2048]
    half = len(head) // 2
    if half < 4:
        return None
    zeros = head[0::2].count(0), head[1::2].count(0)
    if zeros[1] > 0.4 * half and zeros[0] == 0:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.4 * half and zeros[1] == 0 else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _old(data: bytes, language: str | None) -> str:
    """The code page of a text that is not Unicode: that of its language, else of its script, else Western Europe's."""
    primary = (language or "").lower().partition("-")[0]
    if primary in _LATIN:
        return _LATIN[primary]
    # only what is not ASCII tells, so that times and numbers do not drown it
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    best = from_bytes(b"\n".join(lines)[:_SAMPLE], cp_isolation=["cp1252", *_OTHER_SCRIPTS]).best()
    # "replace" covers the bytes that cp1252 does not have
    return best.encoding if best is not None else "cp1252"
