"""What runs in the process that reads one delivered file: under bounds, with the way back over one channel.

Each message to the parent is one byte that says what it is, and then

    p   the share done, in digits
    g   a place and a length (two int64): bytes of the remote file are wanted, and are the answer
    c   CPU seconds (float64) and bytes (int64) that the call took; one of these comes next, and nothing after it:
    v   what the function returned, as JSON
    r   why the file is refused, in words
    b   the traceback of any other exception
"""

import inspect
import io
import json
import os
import resource
import signal
import struct
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BufferedReader
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, BinaryIO, cast, get_type_hints

from pydantic import TypeAdapter

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.limits import Limits

PLACE = struct.Struct("<qq")
COST = struct.Struct("<dq")
TELL_SECONDS = 0.2
"""Progress is told no more often than this."""


@dataclass(frozen=True)
class Call:
    """What a child is asked to do.

    Attributes:
        read: a function of a module, called with the file and `args`, and with `progress` if it takes that.
        file: a path, or the name of a file that is read through the parent.
        size: bytes of the file.
        args: what the function is called with beside the file.
        folder: the current folder, which relative paths start from.
        limits: what it may cost.
    """

    read: Callable[..., Any]
    file: Path | str
    size: int
    args: tuple[Any, ...]
    folder: str
    limits: Limits


@cache
def result_type(read: Callable[..., Any]) -> TypeAdapter[Any]:
    """How what a function returns becomes JSON and is made from it again: by its annotation."""
    return TypeAdapter(get_type_hints(read)["return"])


def run(channel: "Connection[Any, Any]") -> None:
    """Do the one call that comes over the channel, and say what came of it."""
    too_large = b""
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        # from our own parent: the one direction in which objects may travel
        call: Any = channel.recv()
        too_large = (
            f"r{_name(call)} takes more than {call.limits.memory >> 20} MiB to read; deliver it smaller".encode()
        )
        os.chdir(call.folder)
        _bound(call.limits, call.size)
        said = _result(call, channel)
    except MediaRefused as refused:
        said = b"r" + str(refused).encode()
    except MemoryError:
        said = too_large
    except BaseException:
        said = b"b" + traceback.format_exc().encode()
    with suppress(OSError):
        channel.send_bytes(b"c" + _cost(before))
        channel.send_bytes(said)


def _cost(before: resource.struct_rusage) -> bytes:
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime
    return COST.pack(cpu, (now.ru_maxrss - before.ru_maxrss) * 1024)


def _result(call: Call, channel: "Connection[Any, Any]") -> bytes:
    file = call.file if isinstance(call.file, Path) else _Served(call.file, call.size, channel)
    takes_progress = "progress" in inspect.signature(call.read).parameters
    more: dict[str, Any] = {"progress": _Teller(channel)} if takes_progress else {}
    found = call.read(file, *call.args, **more)
    return b"v" + json.dumps(result_type(call.read).dump_python(found, mode="json")).encode()


def _name(call: Call) -> str:
    return call.file.name if isinstance(call.file, Path) else call.file


def _bound(limits: Limits, size: int) -> None:
    """Bound memory, CPU time, written bytes and core dumps of this process, and offer it to the kernel first."""
    with open("/proc/self/statm") as pages:
        taken = int(pages.read().split()[0]) * resource.getpagesize()
    seconds = int(limits.wall_seconds(size)) + 1
    for what, soft, hard in (
        (resource.RLIMIT_AS, taken + limits.memory, taken + limits.memory),
        (resource.RLIMIT_CPU, seconds, seconds + 5),
        (resource.RLIMIT_FSIZE, limits.written, limits.written),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with suppress(ValueError):  # a lower one is set already
            resource.setrlimit(what, (soft, hard))
    # Python ignores it, and a writer inside FFmpeg would go on without a word
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


class _Teller:
    """Tells the parent how far reading is."""

    def __init__(self, channel: "Connection[Any, Any]") -> None:
        self._channel, self._told = channel, -TELL_SECONDS

    def __call__(self, share: float) -> None:
        if (now := time.monotonic()) - self._told >= TELL_SECONDS or share >= 1:
            self._told = now
            self._channel.send_bytes(f"p{share:.6f}".encode())


class _Served:
    """A remote file whose bytes the parent fetches: this process needs no network and no credentials."""

    def __init__(self, name: str, size: int, channel: "Connection[Any, Any]") -> None:
        self.name, self._size, self._channel = name, size, channel

    def open(self) -> BinaryIO:
        """A new reader."""
        return cast(BinaryIO, BufferedReader(_Reader(self._size, self._channel), 256 * 1024))


class _Reader(io.RawIOBase):
    def __init__(self, size: int, channel: "Connection[Any, Any]") -> None:
        self._size, self._channel, self._at = size, channel, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"there is no place {base + offset} in a file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        into = memoryview(buffer).cast("B")
        wanted = min(len(into), self._size - self._at)
        if wanted <= 0:
            return 0
        self._channel.send_bytes(b"g" + PLACE.pack(self._at, wanted))
        found = self._channel.recv_bytes()
        into[: len(found)] = found
        self._at += len(found)
        return len(found)
