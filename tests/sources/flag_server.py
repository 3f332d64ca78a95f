"""``FlagServer``: a small config service. ETag and 304, long poll by ``Prefer: wait`` or ``?wait``."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from typing import TYPE_CHECKING

from servers import Answer, Request, ScriptedServer, serve

from sources.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable


class FlagServer:
    """Serves one document at any path. It begins stopped, and keeps its port."""

    def __init__(self) -> None:
        self._body: bytes | None = None
        self._changed = threading.Condition()
        self._is_hanging = False
        self._is_stopping = False
        self._port = free_port()
        self._server: ScriptedServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/flag.json"

    def start(self) -> None:
        """Serve, after ``stop``; go on serving, after ``hang``."""
        with self._changed:
            self._is_hanging = self._is_stopping = False
            self._changed.notify_all()
        if self._server is None:
            self._server = serve(self._answer, port=self._port).__enter__()

    def stop(self) -> None:
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._server is not None:
            self._server.close()
            self._server = None

    def hang(self) -> None:
        self._is_hanging = True

    def publish(self, body: bytes | None) -> None:
        with self._changed:
            self._body = body
            self._changed.notify_all()

    def _answer(self, request: Request) -> Answer:
        known = request.headers.get("If-None-Match")
        with self._changed:
            self._wait(lambda: not self._is_hanging, 60.0)
            if known is not None:
                self._wait(lambda: self._etag() != known, _wait_of(request))
            if self._body is None:
                return Answer(404, b"no flag")
            if self._etag() == known:
                return Answer(304)
            return Answer(200, self._body, {"ETag": self._etag()})

    def _wait(self, holds: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not (holds() or self._is_stopping):
            left = end - time.monotonic()
            if left <= 0 or not self._changed.wait(left):
                return

    def _etag(self) -> str:
        return f'"{hashlib.sha256(self._body or b"").hexdigest()[:16]}"'


def _wait_of(request: Request) -> float:
    asked = request.query.get("wait") or _prefer(request.headers.get("Prefer", ""))
    return float(asked or 0)


def _prefer(value: str | None) -> str | None:
    match = re.fullmatch(r"wait=(\d+)", value or "")
    return match and match[1]
