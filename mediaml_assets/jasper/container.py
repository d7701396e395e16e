"""Opening a delivered file under the allow-lists, and saying plainly why one cannot be read."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import av

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import MediaFile, RemoteFile
from mediaml_assets.jasper.limits import FORMATS, LIMITS, PROTOCOLS

BUFFER = 256 * 1024
"""Bytes that FFmpeg asks a reader in Python for at once."""


@contextmanager
def opened(file: MediaFile) -> Iterator[Any]:
    """Open a delivered media file for reading, as a PyAV ``InputContainer``.

    Only the formats and protocols of `limits` are tried, and what is read through Python opens no second file at all.
    Metadata that is not UTF-8 loses the bytes that are not.

    Raises:
        MediaRefused: the file is missing, unreadable, empty, no media, of a format that is not allowed, or damaged
            before its first picture.
    """
    with ExitStack() as stack:
        if isinstance(file, Path):
            _check_path(file)
        try:
            container = av.open(
                f"file:{file.resolve()}" if isinstance(file, Path) else _reader(file, stack),
                metadata_errors="ignore",
                timeout=LIMITS.io_seconds,
                buffer_size=BUFFER,
                io_open=None if isinstance(file, Path) else refuse_second_file,
                options={"max_pixels": str(LIMITS.pixels)},
                container_options={
                    "protocol_whitelist": ",".join(PROTOCOLS),
                    "format_whitelist": ",".join(FORMATS),
                    "max_streams": str(LIMITS.streams),
                },
            )
        except (av.FFmpegError, ValueError, UnicodeError) as error:
            raise MediaRefused(_why_not_open(file, error)) from error
        try:
            with container:
                yield container
        except av.FFmpegError as error:
            raise MediaRefused(f"{file.name} cannot be read to its end ({error.strerror}); deliver it again") from error


def refuse_second_file(url: str, *_: object) -> NoReturn:
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


def _check_path(path: Path) -> None:
    try:
        if not path.is_file():
            raise MediaRefused(f"{path.name} is not a file; deliver one media file a title")
        with path.open("rb") as file:
            if not file.read(1):
                raise _empty(path)
    except PermissionError as error:
        raise MediaRefused(f"{path.name} may not be read by this user; give it read permission") from error
    except OSError as error:
        raise MediaRefused(f"{path.name} cannot be opened ({error.strerror}); deliver it again") from error


def _reader(file: RemoteFile, stack: ExitStack) -> BinaryIO:
    """A reader that is closed with the stack; what goes wrong on the way to the file is its own error."""
    reader = stack.enter_context(file.open())
    if not reader.read(1):
        raise _empty(file)
    reader.seek(0)
    return reader


def _empty(file: MediaFile) -> MediaRefused:
    return MediaRefused(f"{file.name} is empty; deliver it again")


def _why_not_open(file: MediaFile, error: Exception) -> str:
    allowed = "MP4, QuickTime, Matroska, WebM, MPEG-TS, MPEG-PS, AVI, Ogg, MXF and raw H.264, HEVC and MPEG-2"
    if isinstance(error, av.error.EOFError):
        return f"{file.name} ends before its first picture: it is truncated; deliver it again"
    if isinstance(error, av.error.ArgumentError):
        return f"{file.name} is of a container format that is not allowed here; deliver one of {allowed}"
    said = getattr(error, "strerror", None) or error
    return f"{file.name} is no readable film: not media at all, damaged or cut short ({said}); deliver one of {allowed}"
