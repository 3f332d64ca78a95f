"""``TracedResponse``: what a caller gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from tracedclient.errors import ResponseTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.trace.model import TraceResult

MAX_EXPANSION = 200
"""How many times larger than what was sent a decoded body may be; text comes to some ten."""

_EXPANSION_FROM = 10 * 1024 * 1024


class TracedResponse(requests.Response):
    """A ``requests.Response`` that knows what its call did, and how large it may become."""

    trace: TraceResult | None = None
    """``None`` with debug off, and while a streamed body has not been read or closed."""
    max_bytes: int | None = None
    """Bytes of the decoded body that may be read; ``None`` for any number."""

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Any:
        """Yield the body in chunks, as requests does.

        Raises ``ResponseTooLarge`` when it becomes larger than ``max_bytes``, or than 10 MiB and
        200 times what came over the wire: a compressed body of a few kilobytes can hold gigabytes,
        and ``stream=False`` reads all of them.
        """
        chunks = super().iter_content(chunk_size, decode_unicode)  # type: ignore[call-overload]
        return chunks if self.max_bytes is None else self._bounded(chunks, self.max_bytes)

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
