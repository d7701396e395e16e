"""Opening a delivered file under the allow-lists, and saying plainly why one cannot be read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import av

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import MediaFile, Watched
from mediaml_assets.jasper.limits import FORMATS, LIMITS, PROTOCOLS

BUFFER = 256 * 1024
"""Bytes that FFmpeg asks a reader in Python for at once."""

_MANY_STREAMS = f"has more than {LIMITS.streams} streams; deliver it with those that belong to the film"


@contextmanager
def opened(file: MediaFile) -> Iterator[Any]:
    """Open a delivered media file for reading, as a PyAV ``InputContainer``.

    Only the formats and protocols of `limits` are tried, and what is read through Python opens no second file at all.
    Metadata that is not UTF-8 is read by `tags_of`.

    Raises:
        MediaRefused: the file is missing, unreadable, empty, no media, of a format that is not allowed, or damaged
            before its first picture.
        Exception: what the reader of a remote file raised, as it was: that is no fault of the film.
    """
    watched = None if isinstance(file, Path) else Watched(file)
    try:
        with _opened(file, watched) as container:
            yield container
    finally:
        # whatever FFmpeg made of it, and whatever followed from that
        if watched is not None and watched.failure is not None:
            raise watched.failure


@contextmanager
def _opened(file: MediaFile, watched: Watched | None) -> Iterator[Any]:
    _check_begins(file, watched)
    try:
        container = av.open(
            f"file:{file.resolve()}" if isinstance(file, Path) else watched,
            metadata_errors="surrogateescape",
            timeout=LIMITS.io_seconds,
            buffer_size=BUFFER,
            io_open=None if watched is None else _refuse_second_file,
            options={"max_pixels": str(LIMITS.pixels)},
            container_options={
                "protocol_whitelist": ",".join(PROTOCOLS),
                "format_whitelist": ",".join(FORMATS),
                "max_streams": str(LIMITS.streams + 1),
            },
        )
    except (av.FFmpegError, ValueError, UnicodeError) as error:
        raise MediaRefused(_why_not_open(file, error)) from error
    try:
        with container:
            if len(container.streams) > LIMITS.streams:
                raise MediaRefused(f"{file.name} {_MANY_STREAMS}")
            yield container
    except av.FFmpegError as error:
        raise MediaRefused(f"{file.name} cannot be read to its end ({error.strerror}); deliver it again") from error


def tags_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """Tags of an opened file by name in lower case; what is not UTF-8 is taken for Windows-1252, or Latin-1.

    At most the first of them that `limits` allows, each cut at the length that it allows.
    """
    said = islice(metadata.items(), LIMITS.tags)
    return {_readable(name)[: LIMITS.tag_chars].lower(): _readable(value)[: LIMITS.tag_chars] for name, value in said}


def _readable(text: str) -> str:
    given = text.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeDecodeError):
            return given.decode(encoding)
    return given.decode("latin-1")


def open_derivative(file: MediaFile) -> Any:
    """Open a file that `standardize` wrote, as a PyAV ``InputContainer``: what is not on this machine, in ranges."""
    if isinstance(file, Path):
        return av.open(str(file))
    return av.open(Watched(file), io_open=_refuse_second_file, container_options={"format_whitelist": "mov,flac"})


def _refuse_second_file(url: str, *_: object) -> NoReturn:
    """For PyAV's `io_open`: a film is one file, whatever other one its content names."""
    raise MediaRefused(f"it names a second file ({url[:100]!r}) to be read; deliver one file that holds everything")


def use_one_thread(stream: Any) -> None:
    """Make a stream's decoder run in the caller's thread: titles run side by side, so threads only cost."""
    context = stream.codec_context
    context.thread_count = 1
    context.thread_type = "NONE"
    context.options = {**context.options, "max_pixels": str(LIMITS.pixels)}


def decode(stream: Any, packet: Any) -> list[Any]:
    """Decode one demuxed packet into its frames, none or many; the last, empty packet of a stream flushes it.

    An empty packet in the middle repeats the last picture (Theora); given to a decoder it would end the stream, so it
    yields nothing here and the picture before it is simply shown for longer.

    Raises:
        av.FFmpegError: the packet is damaged.
    """
    if packet.size == 0 and packet.dts is not None:
        return []
    return list(stream.codec_context.decode(packet if packet.size else None))


def _check_begins(file: MediaFile, watched: Watched | None) -> None:
    """Raise MediaRefused for a path that is no file or may not be read, and for an empty file anywhere."""
    empty = f"{file.name} is empty; deliver it again"
    if watched is not None:
        if not watched.read(1):
            raise MediaRefused(empty)
        watched.seek(0)
    elif isinstance(file, Path):
        try:
            if not file.exists():
                raise MediaRefused(f"{file.name} is not a file: nothing is at {file}; check the path")
            if not file.is_file():
                raise MediaRefused(f"{file.name} is not a file; deliver one media file a title")
            with file.open("rb") as stream:
                if not stream.read(1):
                    raise MediaRefused(empty)
        except PermissionError as error:
            raise MediaRefused(f"{file.name} may not be read by this user; give it read permission") from error
        except OSError as error:
            raise MediaRefused(f"{file.name} cannot be opened ({error.strerror}); deliver it again") from error


def _why_not_open(file: MediaFile, error: Exception) -> str:
    allowed = "MP4, QuickTime, Matroska, WebM, MPEG-TS, MPEG-PS, AVI, Ogg, MXF and raw H.264, HEVC and MPEG-2"
    if isinstance(error, av.error.MemoryError):
        return f"{file.name} {_MANY_STREAMS}, or takes too much memory to open"
    if isinstance(error, av.error.EOFError):
        return f"{file.name} ends before its first picture: it is truncated; deliver it again"
    if isinstance(error, av.error.ArgumentError):
        return f"{file.name} is of a container format that is not allowed here; deliver one of {allowed}"
    said = getattr(error, "strerror", None) or error
    return f"{file.name} is no readable film: not media at all, damaged or cut short ({said}); deliver one of {allowed}"
