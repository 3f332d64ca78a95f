"""Trace ids going out: in which headers, and to whom. What is not named stays in the company."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tracedclient._pattern import pattern
from tracedclient._value import Value, derived
from tracedclient.trace.formats import NOT_IDS, Field, Format, IdHeader, formats
from tracedclient.trace.ids import new_span_id
from tracedclient.transport import has, put

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from requests import PreparedRequest

    from tracedclient.trace.context import TraceContext

_HOST = r"[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\]"
_PATTERN = pattern(
    rf"(?:(?P<scheme>https?)://)?(?P<any>\*\.)?(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?"
)
# Only what every reader of a URL reads alike: `http://evil.test\@x.internal` leads where urllib3
# says, not where its last `@` does.
_URL = pattern(
    rf"(?P<scheme>https?)://(?:[^/?#\\@\s]*@)?(?P<host>{_HOST})\.?(?::(?P<port>[0-9]{{1,5}}))?(?=[/?#]|\Z)",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}

_ALWAYS_OURS = formats("formats", ("traceparent", "b3", "b3multi", "X-Trace-Id", "X-Request-Id"))


class Origin(NamedTuple):
    """Scheme, host and port, in lower case."""

    scheme: str | None
    host: str
    port: str | None


class Propagation(Value):
    """In which headers a client sends the trace on, and to which origins.

    formats  ``traceparent`` (with ``tracestate``), ``b3``, ``b3multi``; any other name is that of
             a header whose value is the trace id.
    origins  who may see it: ``api.example.org``, ``*.internal`` (every name below it),
             ``https://*.example.org:8443``; without a scheme or port, any. To all others go no
             trace headers and no ``baggage``, whoever set them, redirects included. To those listed
             goes the ``baggage`` of the request being served. ``None``: the trace to all, that
             baggage to nobody.

    Raises ``TypeError`` or ``ValueError`` that names the argument.
    """

    formats: tuple[str, ...] = ("traceparent", "X-Trace-Id")
    origins: tuple[str, ...] | None = None
    _ids: tuple[str, ...] = derived(init=False)
    _spans: tuple[Format, ...] = derived(init=False)
    _patterns: tuple[Origin, ...] = derived(init=False)
    _names: frozenset[str] = derived(init=False)

    def __post_init__(self) -> None:
        forms = formats("formats", self.formats)
        origins = None if self.origins is None else _collected(self.origins)
        names = {name for form in (*forms, *_ALWAYS_OURS) for name in form.names}
        self._set(
            formats=tuple(self.formats),
            origins=origins,
            _ids=tuple(form.name for form in forms if isinstance(form, IdHeader)),
            _spans=tuple(form for form in forms if not isinstance(form, IdHeader)),
            _patterns=tuple(map(_pattern, origins or ())),
            _names=frozenset(names | NOT_IDS),
        )

    def allows(self, url: str) -> bool:
        """Whether ``url`` leads to an origin that may see the trace; a URL in doubt does not."""
        if self.origins is None:
            return True
        match = _URL.match(url)
        if match is None:
            return False
        scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"]
        return _is_listed(self._patterns, Origin(scheme, host, port or _DEFAULT_PORTS[scheme]))

    def outbound(
        self,
        context: TraceContext,
        request: PreparedRequest,
        *,
        sampled: bool | None,
        spans: Spans | None = None,
    ) -> Outbound:
        """Return what is sent on with ``request``.

        Its own ``traceparent`` or ``b3`` stays: another tracer has set it. ``spans`` may be in
        another trace than ``context``, whose id then goes out in the headers of an id alone.
        """
        given = request.headers
        within = spans.trace if spans is not None else None
        if within is not None and within.sampled is not None:
            sampled = within.sampled
        fields: list[Field] = []
        for name in self._ids:
            fields.append((name, context.trace_id, None))  # noqa: PERF401 - a call, until 3.12
        for form in self._spans:
            if not has(given, form.names[0]):
                fields += form.fields(within or context, sampled=sampled)
        if context.baggage and self._passes_baggage and not has(given, "baggage"):
            fields.append(("baggage", context.baggage, None))
        if spans is None:
            return Outbound(self, fields)
        return WatchedOutbound(self, fields, spans, frozenset(name.lower() for name in given))

    @property
    def _passes_baggage(self) -> bool:
        # It may hold what is nobody else's business: only to those who were named.
        return self.origins is not None and bool(self.formats)

    def strip(self, request: PreparedRequest) -> None:
        """Take off ``request`` whatever belongs to a trace."""
        for name in list(request.headers):
            # requests lets a prepared request have names that are bytes.
            text = name.decode("latin-1") if isinstance(name, bytes) else name
            if text.lower() in self._names:
                del request.headers[name]


class Spans(Protocol):
    """Somebody who gives each request its span."""

    @property
    def trace(self) -> TraceContext | None:
        """The trace that these spans are in; ``None`` when it does not matter."""

    @property
    def carried(self) -> Sequence[str]:
        """The names of all that ``headers`` has given so far."""

    def span_id(self, method: str, url: str) -> str:
        """Begin the span of one request that is about to be sent; return its id."""

    def headers(self) -> Mapping[str, str | None]:
        """Return what that request is to carry besides; ``None``: what only one before it did."""


class Outbound:
    """The trace of one call, as it goes out with each of its requests."""

    __slots__ = ("fields", "propagation")

    def __init__(self, propagation: Propagation, fields: Sequence[Field]) -> None:
        self.propagation = propagation
        self.fields = fields

    def begin(self, request: PreparedRequest) -> None:
        """Make ``request`` a new span of the trace: for each attempt, since retries differ."""
        if self.propagation.origins is None or self.propagation.allows(request.url or ""):
            put(request.headers, self.fields, new_span_id())
        else:
            self.propagation.strip(request)

    def follow(self, request: PreparedRequest) -> None:
        """Do so for one that a redirect led to.

        Where all origins may see the trace, what may cross is as before the redirect policy's to
        say: what it took off stays off.
        """
        if self.propagation.origins is None:
            put(request.headers, self._left(request), new_span_id())
        else:
            self.begin(request)

    def leave(self, request: PreparedRequest) -> None:
        """Take the trace off ``request``, a copy that belongs to another call."""
        for name, _, _ in self.fields:
            request.headers.pop(name, None)

    def _left(self, request: PreparedRequest) -> list[Field]:
        return [field for field in self.fields if field[0] in request.headers]


class WatchedOutbound(Outbound):
    """The same for a call that instruments watch: theirs are the spans, and some of the headers."""

    __slots__ = ("given", "spans")

    def __init__(
        self,
        propagation: Propagation,
        fields: Sequence[Field],
        spans: Spans,
        given: frozenset[str],
    ) -> None:
        super().__init__(propagation, fields)
        self.spans = spans
        self.given = given
        """The headers, in lower case, that the request had before; another tracer's stay as they are."""

    def begin(self, request: PreparedRequest) -> None:
        """Make ``request`` a new span of the trace, and have it carry what the instruments want."""
        span_id, headers = self._begun(request)
        if self.propagation.allows(request.url or ""):
            put(request.headers, self.fields, span_id)
            self._carry(request, headers)
        else:
            self.propagation.strip(request)
            _take_off(request, headers)

    def follow(self, request: PreparedRequest) -> None:
        """Do so for one that a redirect led to; what the redirect policy took off stays off."""
        if self.propagation.origins is not None:
            self.begin(request)
            return
        span_id, headers = self._begun(request)
        put(request.headers, self._left(request), span_id)
        self._carry(request, {n: v for n, v in headers.items() if n in request.headers})

    def leave(self, request: PreparedRequest) -> None:
        """Take the trace, and what the instruments added, off ``request``."""
        super().leave(request)
        _take_off(request, [name for name in self.spans.carried if name.lower() not in self.given])

    def _begun(self, request: PreparedRequest) -> tuple[str, Mapping[str, str | None]]:
        span_id = self.spans.span_id(request.method or "", request.url or "")
        return span_id, self.spans.headers()

    def _carry(self, request: PreparedRequest, headers: Mapping[str, str | None]) -> None:
        for name, value in headers.items():
            if name.lower() in self.given:
                continue
            if value is None:
                request.headers.pop(name, None)
            else:
                request.headers[name] = value


def _take_off(request: PreparedRequest, names: Collection[str]) -> None:
    for name in names:
        request.headers.pop(name, None)


@lru_cache(maxsize=1024)
def _is_listed(patterns: tuple[Origin, ...], origin: Origin) -> bool:
    return any(_matches(pattern, origin) for pattern in patterns)


def _matches(pattern: Origin, origin: Origin) -> bool:
    if pattern.scheme not in (None, origin.scheme) or pattern.port not in (None, origin.port):
        return False
    if pattern.host.startswith("."):
        return origin.host.endswith(pattern.host)
    return origin.host == pattern.host


def _collected(origins: Any) -> tuple[Any, ...]:
    if isinstance(origins, str) or not isinstance(origins, Iterable):
        raise TypeError(f'origins must be a collection such as ("*.internal",), not {origins!r}')
    return tuple(origins)


def _pattern(text: object) -> Origin:
    if not isinstance(text, str):
        raise TypeError(f"origins must hold hosts such as *.internal, not {text!r}")
    match = _PATTERN.fullmatch(text.lower())
    if match is None:
        raise ValueError(
            "origins must hold hosts such as api.example.org, *.internal or "
            f"https://*.example.org:8443, without a path, not {text!r}"
        )
    host = f".{match['host']}" if match["any"] else match["host"]
    return Origin(match["scheme"], host, match["port"])
