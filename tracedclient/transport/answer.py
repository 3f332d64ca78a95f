"""``TracedResponse``: what a caller gets."""

from __future__ import annotations

import io
from datetime import timedelta
from functools import cached_property
from http.client import HTTPMessage
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.cookies import cookiejar_from_dict, extract_cookies_to_jar
from urllib3 import HTTPHeaderDict

from tracedclient.errors import ResponseTooLarge
from tracedclient.transport.discreet import redact_error
from tracedclient.transport.streamed import plain_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tracedclient.trace.model import TraceResult

MAX_EXPANSION = 200
"""How many times larger than what was sent a decoded body may be; text comes to some ten."""

_EXPANSION_FROM = 10 * 1024 * 1024


class TracedResponse(requests.Response):
    """A ``requests.Response`` that knows what its call did, and how large it may become."""

    _trace: TraceResult | Callable[[], TraceResult | None] | None = None
    peer: str | None = None
    """The address that it came from; empty when only a proxy knows, ``None`` when nobody does."""
    max_bytes: int | None = None
    """Bytes of the decoded body that may be read; ``None`` for any number."""

    @property
    def trace(self) -> TraceResult | None:
        """What the call did; ``None`` with debug off, and while a streamed body has not been read or
        closed.
        """
        # Looked at once: another thread may ask at the same time.
        trace = self._trace
        if callable(trace):
            trace = self._trace = trace()
        return trace

    @trace.setter
    def trace(self, trace: TraceResult | None) -> None:
        self._trace = trace

    def trace_on_demand(self, make: Callable[[], TraceResult | None]) -> None:
        """Have ``make`` called for the trace when somebody asks for it."""
        self._trace = make

    def raise_for_status(self) -> None:
        """Raise ``requests.HTTPError`` for 4xx and 5xx, without the URL's secrets in its text."""
        try:
            super().raise_for_status()
        except requests.HTTPError as error:
            redact_error(error, self.url)
            raise

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Any:
        """Yield the body in chunks, as requests does.

        Raises ``ResponseTooLarge`` when it becomes larger than ``max_bytes``, or than 10 MiB and
        200 times what came over the wire: a compressed body of a few kilobytes can hold gigabytes,
        and ``stream=False`` reads all of them.
        """
        chunks = super().iter_content(chunk_size, decode_unicode)  # type: ignore[call-overload]
        if not (decode_unicode or self._content_consumed):
            chunks = self._streamed(chunks, chunk_size)
        return chunks if self.max_bytes is None else self._bounded(chunks, self.max_bytes)

    def _streamed(self, rest: Any, size: int | None) -> Iterator[bytes]:
        yield from plain_chunks(self.raw, size)
        yield from rest

    def _bounded(self, chunks: Any, limit: int) -> Iterator[Any]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            refusal = self._too_large(size, limit)
            if refusal is not None:
                self.close()
                raise ResponseTooLarge(refusal, response=self)
            yield chunk

    def _too_large(self, size: int, limit: int) -> str | None:
        if size > limit:
            return f"the decoded body is larger than max_response_bytes={limit}"
        if size > _EXPANSION_FROM and size > self.raw.tell() * MAX_EXPANSION:
            return f"the decoded body is more than {MAX_EXPANSION} times what was sent"
        return None


class WholeResponse(TracedResponse):
    """One whose body was read before anybody asked for it.

    What few callers look at is made when they do: ``raw``, ``cookies``.
    """

    sets_cookies = False
    spent = 0.0
    """Seconds of ``elapsed``."""

    def __init__(
        self,
        fields: Sequence[tuple[str, str]],
        body: bytes,
        content: bytes,
        *,
        sets_cookies: bool,
    ) -> None:
        # Not requests' own, which makes for every response what here is seldom asked for.
        self._fields = fields
        self._body = body
        self._content = content
        self.sets_cookies = sets_cookies
        self._content_consumed = True
        self._next = None
        self.history = []

    @cached_property
    def elapsed(self) -> timedelta:  # type: ignore[override]
        """From before the request was sent until the whole answer was there."""
        return timedelta(seconds=self.spent)

    @cached_property
    def cookies(self) -> Any:  # type: ignore[override]
        jar = cookiejar_from_dict({})
        if self.sets_cookies:
            self.give_cookies(jar)
        return jar

    def give_cookies(self, jar: Any) -> None:
        """Put into ``jar`` what of the answer's cookies it accepts."""
        extract_cookies_to_jar(jar, self.request, self._read)

    @cached_property
    def _read(self) -> _Read:
        return _Read(self._fields)

    @cached_property
    def raw(self) -> Any:
        """urllib3's response, read to its end, its connection returned."""
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(self._body),
            headers=HTTPHeaderDict(self._fields),
            status=self.status_code,
            version=11,
            version_string="HTTP/1.1",
            reason=self.reason,
            preload_content=False,
            decode_content=False,
            request_method=self.request.method,
            request_url=self.request.path_url,
            original_response=self._read if self.sets_cookies else None,  # type: ignore[arg-type]
        )
        raw.drain_conn()
        return raw


class _Read:
    """What requests, looking for cookies, wants of http.client's answer; it has been read."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self.msg = HTTPMessage()
        for name, value in fields:
            self.msg[name] = value

    @property
    def _original_response(self) -> _Read:
        """Where requests looks for it, in urllib3's answer."""
        return self

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""
