"""A proxy on loopback in front of an S3 server that fails as networks and servers do."""

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["slow down", "failed before", "failed after", "reset before", "reset after", "cut short", "silence"]
"""What happens to a request: 503 SlowDown, or 500, before or after the server has done it; the connection is reset,
before or after; the answer ends in the middle; no answer ever."""

Plan = Callable[[str, str], Fault | None]
"""Method and path with query of a request -> its fault."""

_ERROR = '<?xml version="1.0"?><Error><Code>{}</Code><Message>as a test wants it</Message></Error>'


class FaultyProxy:
    """The proxy while it serves; `url` is where, `faults` counts what was done."""

    def __init__(self, server: str, plan: Plan) -> None:
        self.plan, self.faults = plan, Counter[str]()
        self.closed = threading.Event()
        self._server = urlsplit(server).netloc
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.closed.set()
        self._http.shutdown()
        self._http.server_close()

    def forward(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Have the server do a request: status, headers and body of its answer."""
        connection = http.client.HTTPConnection(self._server, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy.plan(self.command, self.path)
                if fault is not None:
                    proxy.faults[fault] += 1
                if fault == "silence":
                    proxy.closed.wait()
                    self.reset()
                elif fault == "reset before":
                    self.reset()
                elif fault == "slow down":
                    self.answer(503, [], _ERROR.format("SlowDown").encode())
                elif fault == "failed before":
                    self.answer(500, [], _ERROR.format("InternalError").encode())
                else:
                    status, headers, data = proxy.forward(self.command, self.path, body, dict(self.headers))
                    if fault == "failed after":
                        self.answer(500, [], _ERROR.format("InternalError").encode())
                    elif fault == "reset after":
                        self.reset()
                    else:
                        self.answer(status, headers, data, len(data) // 2 if fault == "cut short" else len(data))

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

            def answer(self, status: int, headers: list[tuple[str, str]], data: bytes, sent: int | None = None) -> None:
                """The whole answer, or only the first bytes of what it announces."""
                self.send_response_only(status)
                length = str(len(data))
                for name, value in headers:
                    if name.lower() == "content-length" and self.command == "HEAD":
                        length = value
                    elif name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", length)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data[:sent])
                if sent is not None and sent < len(data):
                    self.reset()

            def reset(self) -> None:
                """End the connection with RST instead of FIN."""
                self.wfile.flush()
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@contextmanager
def faulty_proxy(server: str, plan: Plan) -> Iterator[FaultyProxy]:
    """A proxy in front of a server's URL, until the end of the block."""
    proxy = FaultyProxy(server, plan)
    try:
        yield proxy
    finally:
        proxy.close()
