"""A body of known length that is as it was sent, in chunks: straight from its reader.

urllib3 asks for each chunk whether it is to be decoded, queued, or part of a chunked body, and http.client
asks again. Here what is asked once is asked at the beginning. As soon as a chunk is not there as it
should be, ``raw.stream`` goes on: it reads the bytes that were read, and meets the error that was met.
``tests/transport/test_streamed.py`` holds the two to the same chunks, errors and state.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import urllib3

from tracedclient.transport.response import HTTPResponse
from tracedclient.transport.shipped import body_is_as_shipped

if TYPE_CHECKING:
    from collections.abc import Iterator


def plain_chunks(raw: Any, size: int | None) -> Iterator[bytes]:
    """Yield what ``raw.stream(size)`` would, as far as nothing is unusual; it has the rest."""
    if type(size) is not int or size <= 0 or (wire := _wire(raw)) is None:
        return
    while not wire.isclosed():
        wanted = min(size, wire.length or 0)
        data = wire.take(wanted)
        if data is None:
            return
        raw._fp_bytes_read += wanted  # noqa: SLF001 - what `tell` says; there is no other way to it
        raw.length_remaining -= wanted
        if wire.isclosed():
            raw.release_conn()
        yield data


def _wire(raw: Any) -> HTTPResponse | None:
    """What ``raw`` reads from, when that and ``raw`` are usual."""
    if type(raw) is not urllib3.HTTPResponse or not body_is_as_shipped():
        return None
    wire = raw._original_response  # noqa: SLF001 - urllib3 has no public way to it
    if type(wire) is not HTTPResponse or raw._fp is not wire:  # noqa: SLF001 - as above
        return None
    # Somebody's wrapper of this one; a body that was begun.
    if not vars(raw).keys().isdisjoint(("read", "stream")) or raw.tell():
        return None
    is_plain = (
        not (raw.chunked or wire.chunked)
        and "content-encoding" not in raw.headers
        and bool(wire.length)
        and wire.length == raw.length_remaining
        and isinstance(wire.fp, io.BufferedReader)
    )
    return wire if is_plain else None
