"""Proof that a file was not opened and an address not called: whoever does it, in whatever process or library."""

import ctypes
import os
import select
import socket
import struct
from pathlib import Path
from types import TracebackType

_IN_OPEN, _IN_ACCESS = 0x20, 0x01
_EVENT = struct.Struct("iIII")


class OpenTrap:
    """Counts how often some files are opened, by the kernel's word (inotify); a context manager."""

    def __init__(self, *paths: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._number = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        for path in paths:
            if libc.inotify_add_watch(self._number, os.fsencode(path), _IN_OPEN | _IN_ACCESS) < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))

    def __enter__(self) -> "OpenTrap":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._number)

    def count(self) -> int:
        """Events since the last count."""
        found = 0
        while select.select([self._number], [], [], 0)[0]:
            found += len(os.read(self._number, 1 << 16)) // _EVENT.size
        return found


class NetworkTrap:
    """A port on loopback, TCP and UDP, that notes whoever calls; a context manager."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._tcp.getsockname()[1])
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))

    def __enter__(self) -> "NetworkTrap":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tcp.close()
        self._udp.close()

    def count(self) -> int:
        """Calls since the last count."""
        found = 0
        while ready := select.select([self._tcp, self._udp], [], [], 0)[0]:
            for one in ready:
                if one is self._tcp:
                    one.accept()[0].close()
                else:
                    one.recv(65536)
                found += 1
        return found
