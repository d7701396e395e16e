"""A process without threads that has jasper imported and forks a child for each delivered file that is read.

Forking a process with threads is unsafe and starting Python for each file would cost an import of half a second; a
fork of this process costs milliseconds. It ends with the process that started it, however that one ends, and its
children end with it. `multiprocessing` has a fork server too, but one for the whole process, whose children import the
main module again: for a command of Dagster that is seconds each.
"""

import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from mediaml_assets.jasper.delivered import isolated_child

PRELOADED = (
    "mediaml_assets.jasper.delivered.snapshot:said",
    "mediaml_assets.jasper.delivered.essence:essence",
    "mediaml_assets.jasper.standard.standardize:standardize",
    "mediaml_assets.jasper.standard.sound_alone:standardize_sound",
    "mediaml_assets.jasper.texts.embedded:embedded_subtitles",
    "mediaml_assets.jasper.texts.read:read_subtitles",
    "mediaml_assets.jasper.texts.script:read_script",
    "mediaml_assets.jasper.pictures.standardize:write_picture",
)
"""Functions that are called on delivered files, by name: what is not here is imported in each child."""

NUMBER = struct.Struct("<q")
_FORK, _END = b"f", b"e"
_LOOK_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1
_ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")}


class ForkServer:
    """The server of this process, started when it is first needed."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def fork(self) -> "tuple[Connection[Any, Any], int]":
        """A new child, which waits for its call: our end of its channel, and a pipe to read numbers from.

        The pipe gives the child's process id, then, when it has ended, its wait status; it ends early when the child
        could not be started or the server was killed.
        """
        ours, theirs = socket.socketpair()
        numbers, told = os.pipe()
        try:
            for attempt in (1, 2):
                try:
                    socket.send_fds(self._running(), [_FORK], [theirs.fileno(), told])
                    break
                except OSError:
                    if attempt == 2:
                        ours.close()
                        os.close(numbers)
                        raise
                    self.stop()
        finally:
            theirs.close()
            os.close(told)
        return Connection(ours.detach()), numbers

    def stop(self) -> None:
        """Let the server end, with every child that it has."""
        with self._starting:
            if self._requests is not None:
                if self._owner == os.getpid():
                    with suppress(OSError):
                        self._requests.send(_END)
                self._requests.close()
            if self._process is not None and self._owner == os.getpid():
                self._process.wait()
            self._process = self._requests = None

    def _running(self) -> socket.socket:
        with self._starting:
            # after a fork of ours the server is another process's, whose end must end it
            if self._requests is None or self._owner != os.getpid():
                self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)},
                    # Ctrl-C is for whoever waits for a child, who then ends it
                    start_new_session=True,
                )
                theirs.close()
                self._owner = os.getpid()
            return self._requests


def serve(requests: socket.socket) -> None:
    """In the server: fork a child for each request until it is told to end, or its parent has ended."""
    parent = os.getppid()
    for name in PRELOADED:
        module, _, function = name.partition(":")
        isolated_child.result_type(getattr(importlib.import_module(module), function))
    gc.collect()
    gc.freeze()
    ended, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    told: dict[int, int] = {}
    while True:
        # a process that our parent forked may hold the socket open
        ready, _, _ = select.select([requests.fileno(), ended], [], [], _LOOK_SECONDS)
        if os.getppid() != parent:
            return
        if ended in ready:
            with suppress(BlockingIOError):
                os.read(ended, 4096)
            _reap(told)
        if requests.fileno() in ready:
            request, files, _, _ = socket.recv_fds(requests, 1, 2)
            if request != _FORK:
                return
            channel, status = files
            server = os.getpid()
            pid = os.fork()
            if pid == 0:
                _child(channel, server, [requests.fileno(), ended, wake, status, *told.values()])
            os.close(channel)
            told[pid] = status
            _tell(status, pid)


def _reap(told: dict[int, int]) -> None:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = found
            pipe = told.pop(pid)
            _tell(pipe, status)
            os.close(pipe)


def _tell(pipe: int, number: int) -> None:
    with suppress(BrokenPipeError):
        os.write(pipe, NUMBER.pack(number))


def _child(channel: int, server: int, others: list[int]) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == server:
            for number in others:
                os.close(number)
            isolated_child.run(Connection(channel))
    finally:
        os._exit(0)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as given:
        serve(given)
