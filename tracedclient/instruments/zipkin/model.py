"""Zipkin's model, version 2: https://zipkin.io/zipkin-api/. Field for field its JSON, in camel case."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class _Noun(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, rename="camel"):
    pass


class Endpoint(_Noun, frozen=True, omit_defaults=True, kw_only=True, rename="camel"):
    """One side of a request."""

    service_name: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


class Annotation(_Noun, frozen=True, kw_only=True):
    """Something that happened."""

    timestamp: int
    value: str


class Span(_Noun, frozen=True, omit_defaults=True, kw_only=True, rename="camel"):
    """One span; ``timestamp`` and ``duration`` are in microseconds, since the epoch and at least 1.

    ``shared`` is not among its fields: it is a server's to set.
    """

    trace_id: str
    id: str
    parent_id: str | None = None
    kind: str | None = None
    name: str
    timestamp: int
    duration: int
    debug: bool = False
    local_endpoint: Endpoint
    remote_endpoint: Endpoint | None = None
    annotations: tuple[Annotation, ...] = ()
    tags: dict[str, str] = {}


class Ids(NamedTuple):
    """What the spans of one call are called."""

    trace: str
    call: str
    parent: str | None
    exchanges: tuple[str, ...]
    """In their order, those of all attempts."""
    debug: bool = False
    """B3's ``d``: Zipkin is to keep it whatever it samples."""
