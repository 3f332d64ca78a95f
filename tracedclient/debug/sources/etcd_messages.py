"""What etcd's JSON gateway says: bytes are base64, 64-bit integers are strings, defaults left out.

The messages are those of etcd's ``rpc.proto``, as far as a flag needs them. Gateways differ in how
they say an error: up to etcd 3.5 ``error`` holds the message too, and a stream wraps it once more.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tracedclient.debug.source import SourceError


class Header(msgspec.Struct, frozen=True):
    """``ResponseHeader``."""

    revision: int = 0
    """Of the whole store, when it answered."""


class KeyValue(msgspec.Struct, frozen=True):
    """``mvccpb.KeyValue``."""

    mod_revision: int = 0
    """The store's revision at which this key was last written."""
    value: bytes = b""


class RangeResponse(msgspec.Struct, frozen=True):
    """The answer to ``/kv/range``."""

    header: Header
    kvs: list[KeyValue] = []


class WriteResponse(msgspec.Struct, frozen=True):
    """The answer to ``/kv/put`` and to ``/kv/deleterange``."""

    header: Header
    deleted: int = 0


class Event(msgspec.Struct, frozen=True):
    """``mvccpb.Event``."""

    kv: KeyValue = KeyValue()
    type: str = "PUT"


class WatchResponse(msgspec.Struct, frozen=True):
    """One message of ``/watch``: that it began, events, progress, or that it was canceled."""

    header: Header = Header()
    events: list[Event] = []
    canceled: bool = False
    compact_revision: int = 0
    cancel_reason: str = ""


class Problem(msgspec.Struct, frozen=True):
    """An error, of an answer or in a stream."""

    message: str = ""


class WatchLine(msgspec.Struct, frozen=True):
    """One line of ``/watch``."""

    result: WatchResponse | None = None
    error: Problem | None = None


class AuthenticateResponse(msgspec.Struct, frozen=True):
    """The answer to ``/auth/authenticate``."""

    token: str


Message = TypeVar("Message", bound=msgspec.Struct)


def decode(body: bytes, kind: type[Message]) -> Message:
    """Read one message. Raises ``SourceError`` when it is none of etcd's."""
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise SourceError("the answer is not that of an etcd v3 JSON gateway") from None
