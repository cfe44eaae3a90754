"""An HTTP proxy on loopback, in a thread: whatever host it is asked for, it leads to one server on loopback."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
import time
from types import TracebackType


class Proxy:
    """Answers CONNECT. ``asked`` holds the request lines, ``credentials`` who asked, as ``user:password``."""

    def __init__(self, port: int, *, refusal: bytes = b"", wants: str = "") -> None:
        """``port`` is the server's; with a ``refusal``, such as ``403 Forbidden``, nothing passes.

        With ``wants``, only who presents this ``user:password`` passes.
        """
        self.asked: list[str] = []
        self.credentials: list[str] = []
        self._wants = wants
        self._port = port
        self._refusal = refusal
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            self.asked.append(head.split(b"\r\n", 1)[0].decode())
            basic = re.search(rb"(?i)^proxy-authorization: basic (\S+)", head, re.MULTILINE)
            self.credentials.append(base64.b64decode(basic[1]).decode() if basic else "")
            wrong = self._wants and self.credentials[-1] != self._wants
            refusal = self._refusal or (b"407 Proxy Authentication Required" if wrong else b"")
            if refusal:
                client.sendall(b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()


class OneSlot:
    """A TCP server in front of a WebSocket server that has room for one session at a time; the others get HTTP 429.

    What asks for nothing takes no room. ``most`` is how many asked at the same time.
    """

    def __init__(self, port: int, *, slow_s: float = 0.0) -> None:
        """``port`` is the server's; ``slow_s`` after the end of a session its room is free."""
        self._slow_s = slow_s
        self.most = self.asked = 0
        self._open = 0
        self._port = port
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, name="one-slot", daemon=True)

    def __enter__(self) -> OneSlot:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._session, args=(client,), daemon=True).start()

    def _session(self, client: socket.socket) -> None:
        with client:
            request = client.recv(65536)
            if not request:
                return
            if b"upgrade: websocket" not in request.lower():
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            with self._lock:
                self.asked += 1
                self._open += 1
                self.most = max(self.most, self._open)
                taken = self._open > 1
            try:
                if taken:
                    client.sendall(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 13\r\n\r\nAll slots used")
                    return
                with socket.create_connection(("127.0.0.1", self._port)) as server:
                    server.sendall(request)
                    back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                    back.start()
                    _copy(client, server)
                    back.join()
            finally:
                if not taken:
                    time.sleep(self._slow_s)
                with self._lock:
                    self._open -= 1


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until one of the two has gone, and then end the other."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
