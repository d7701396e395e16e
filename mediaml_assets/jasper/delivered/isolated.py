"""Reading a delivered file in a process that can be killed: what media may do to a decoder stays in there.

    found = isolated(essence, file)

is `essence(file)`, with the same result and the same refusals; but when a decoder crashes on the file, runs out of
memory or never comes back, that is a refusal of this file as well, and the caller goes on. Results come back as JSON
and are checked against the function's annotation. A remote file is fetched here and handed over, so the other process
has neither credentials nor an address.
"""

import atexit
import math
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from mediaml_assets.elsewhere import tell
from mediaml_assets.errors import MediaRefused, ReaderFailed
from mediaml_assets.jasper.delivered.fork_server import NUMBER, ForkServer
from mediaml_assets.jasper.delivered.isolated_child import COST, PLACE, Call, result_type
from mediaml_assets.jasper.files import MediaFile, open_binary
from mediaml_assets.jasper.limits import LIMITS, Limits

Found = TypeVar("Found")

_ANSWER_BYTES = 64 << 20
_LOOK_SECONDS = 1.0
_NOT_THE_FILM = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_server = ForkServer()
atexit.register(_server.stop)


def isolated(
    read: Callable[..., Found],
    file: MediaFile,
    *args: Any,
    progress: Callable[[float], None] | None = None,
    limits: Limits = LIMITS,
) -> Found:
    """Call ``read(file, *args)`` in a process of its own, under bounds, and return what it returns.

    Args:
        read: a function of a module that has an annotated result: a dataclass or another type that pydantic makes from
            JSON. It is given `progress` when it takes that.
        file: the delivered file.
        args: what `read` is called with beside the file; they must pickle.
        progress: told the share done, in [0, 1].
        limits: what the process may cost.

    Raises:
        MediaRefused: `read` refused the file, or reading it crashed, took too much memory or CPU, wrote too much, made
            no progress for `limits.stall_seconds` or took longer than `limits.wall_seconds` of its size.
        ReaderFailed: `read` raised anything else, with its traceback, or the process was ended from outside.
        Exception: what the reader of a remote file raised, as it was.
    """
    with nullcontext(None) if isinstance(file, Path) else open_binary(file) as reader:
        size = _size(file, reader)
        call = Call(read, file if isinstance(file, Path) else file.name, size, args, os.getcwd(), limits)
        child = _Child(call, reader)
        try:
            said = child.wait(progress or (lambda _: None))
        finally:
            child.end()
    found: Found = result_type(read).validate_json(said)
    return found


class _Child:
    """One child at its call, watched."""

    def __init__(self, call: Call, reader: BinaryIO | None) -> None:
        self._call, self._reader = call, reader
        # a server that was killed since the last call is noticed by the first that asks it; the second has a new one
        if not (self._forked() or self._forked()):
            raise ReaderFailed(f"no process could be started to read {self._name}; run again when the machine has room")
        try:
            with suppress(BrokenPipeError):  # it has ended already, which `wait` finds
                self._channel.send(call)
        except BaseException:
            self.end()
            raise

    def _forked(self) -> bool:
        """Whether a new process waits for the call."""
        self._channel, self._numbers = _server.fork()
        try:
            self._pid = self._number() or 0
            # it waits for its call, so that this is it and no later process with the same number
            self._process = os.pidfd_open(self._pid)
        except OSError:  # there is none, or it was ended from outside before it had its call
            self._channel.close()
            os.close(self._numbers)
            return False
        return True

    @property
    def _name(self) -> str:
        return self._call.file.name if isinstance(self._call.file, Path) else self._call.file

    def wait(self, progress: Callable[[float], None]) -> bytes:
        """Watch until it has answered; returns the answer as JSON."""
        limits = self._call.limits
        deadline = time.monotonic() + limits.wall_seconds(self._call.size)
        alive, counted = time.monotonic(), -1
        while True:
            if self._channel.poll(_LOOK_SECONDS):
                said = self._said()
                kind, rest = said[:1], said[1:]
                if kind == b"v":
                    return rest
                began = time.monotonic()
                self._heed(kind, rest, progress)
                alive = time.monotonic()
                # how long a bucket takes, or whoever is told, is not the film's time
                deadline += alive - began
            elif (count := self._bytes()) != counted:
                alive, counted = time.monotonic(), count
            elif time.monotonic() - alive > limits.stall_seconds:
                raise self._refused(f"reading it came to a standstill for {limits.stall_seconds:g} s")
            if time.monotonic() > deadline:
                raise self._refused(f"reading it takes longer than {limits.wall_seconds(self._call.size):.0f} s")

    def end(self) -> None:
        """Let nothing of it remain."""
        self._kill()
        os.close(self._process)
        os.close(self._numbers)
        self._channel.close()

    def _said(self) -> bytes:
        try:
            return self._channel.recv_bytes(_ANSWER_BYTES)
        except (EOFError, OSError):
            pass
        raise self._ended()

    def _heed(self, kind: bytes, rest: bytes, progress: Callable[[float], None]) -> None:
        if kind == b"p":
            progress(_share(rest))
        elif kind == b"c":
            cpu, memory = COST.unpack(rest)
            tell(max(0.0, cpu), max(0, memory))
        elif kind == b"g":
            self._give(self._fetched(*PLACE.unpack(rest)))
        elif kind == b"r":
            raise MediaRefused(rest.decode(errors="replace"))
        else:
            text = rest.decode(errors="replace")
            raise ReaderFailed(f"reading {self._name} failed by a fault that is not the film's; report it:\n{text}")

    def _give(self, data: bytes) -> None:
        try:
            self._channel.send_bytes(data)
        except OSError:
            raise self._ended() from None

    def _fetched(self, at: int, length: int) -> bytes:
        if self._reader is None:
            return b""
        self._reader.seek(at)
        return self._reader.read(min(length, _ANSWER_BYTES))

    def _ended(self) -> MediaRefused | ReaderFailed:
        """Why it ended without an answer."""
        if not select.select([self._numbers], [], [], self._call.limits.stall_seconds)[0]:
            self._kill()
        status = self._number()
        if status is None:
            return ReaderFailed(f"the process that reads {self._name} was ended with its server; run again")
        if not os.WIFSIGNALED(status):
            return self._refused(f"reading it ended its process (exit code {os.waitstatus_to_exitcode(status)})")
        number, limits = signal.Signals(os.WTERMSIG(status)), self._call.limits
        if number in _NOT_THE_FILM:
            return ReaderFailed(
                f"the process that reads {self._name} was ended from outside ({number.name}); run again"
            )
        why = {
            signal.SIGXCPU: f"reading it takes more than {limits.wall_seconds(self._call.size):.0f} s of CPU",
            signal.SIGXFSZ: f"it unpacks into a file of more than {limits.written >> 20} MiB",
            signal.SIGKILL: "the system killed the process that read it, most likely because memory ran out",
        }.get(number, f"it crashes its decoder ({number.name})")
        return self._refused(why)

    def _refused(self, why: str) -> MediaRefused:
        return MediaRefused(
            f"{self._name} is damaged or too much to read: {why}; deliver it again, or in another format"
        )

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def _number(self) -> int | None:
        """The next number from the server; None when there will be none."""
        found = os.read(self._numbers, NUMBER.size)
        return NUMBER.unpack(found)[0] if len(found) == NUMBER.size else None

    def _bytes(self) -> int:
        """Bytes that it has read and written so far, files and pipes alike."""
        try:
            lines = Path(f"/proc/{self._pid}/io").read_text().splitlines()
        except OSError:
            # where the kernel does not tell, only the time that it takes is bounded
            return time.monotonic_ns()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("rchar", "wchar")))


def _share(digits: bytes) -> float:
    share = float(digits)
    return min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0


def _size(file: MediaFile, reader: BinaryIO | None) -> int:
    """Bytes of the file; 0 where there is none, which reading it will say."""
    if reader is not None:
        return reader.seek(0, os.SEEK_END)
    try:
        return os.stat(file).st_size if isinstance(file, Path) else 0
    except OSError:
        return 0
