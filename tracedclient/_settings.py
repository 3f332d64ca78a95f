"""The arguments of ``HTTPClient`` → what it is made of. Each that cannot be meant is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from tracedclient._call import Rules
from tracedclient._pattern import pattern
from tracedclient._prepare import check_headers
from tracedclient.debug.unasked import Unasked, is_overridden_from_outside
from tracedclient.propagation import Propagation
from tracedclient.retry import CircuitBreaker, RetryBudget, RetryPolicy
from tracedclient.retry.breaker import Breakers
from tracedclient.retry.budget import Budgets
from tracedclient.retry.sleeper import Sleeper
from tracedclient.transport import (
    AddressPolicy,
    Dialing,
    Environment,
    RedirectPolicy,
    TracedSession,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.debug import FlagUpdater
    from tracedclient.instruments import Instrument
    from tracedclient.sinks import FanOut, Sink
    from tracedclient.sinks.flight import Flight, FlightRecorder
    from tracedclient.trace.decision import Decision

_HEADER_NAME = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_POOLS = 64


def check_kinds(service: object, retry: object, propagation: object) -> None:
    """Raise ``TypeError`` for the first that is of another kind."""
    if not isinstance(service, str):
        raise TypeError(f"service must be a str, not {type(service).__name__}")
    if not isinstance(retry, RetryPolicy):
        raise TypeError(
            "retry must be a RetryPolicy such as RetryPolicy(max_attempts=3), or "
            f"RetryPolicy(max_attempts=1) for no retry, not {retry!r}"
        )
    if not isinstance(propagation, Propagation):
        raise TypeError(f"propagation must be a Propagation, not {propagation!r}")


def new_rules(
    retry: RetryPolicy,
    budget: RetryBudget | None,
    breaker: CircuitBreaker | None,
    deadline_header: str | None,
) -> Rules:
    """Return what holds for every call of a client with these settings."""
    if budget is not None and not isinstance(budget, RetryBudget):
        raise TypeError(f"budget must be a RetryBudget or None, not {budget!r}")
    if breaker is not None and not isinstance(breaker, CircuitBreaker):
        raise TypeError(f"breaker must be a CircuitBreaker or None, not {breaker!r}")
    _check_header_name("deadline_header", deadline_header)
    return Rules(retry, Budgets(budget), Breakers(breaker), Sleeper(), deadline_header)


def new_session(
    *,
    family: Literal[4, 6] | None,
    happy_eyeballs: bool,
    redirects: RedirectPolicy,
    addresses: AddressPolicy | None,
    max_response_bytes: int | None,
    trust_env: bool,
    cookies: bool,
    pool_maxsize: int,
    pool_block: bool,
    headers: Mapping[str, str] | None,
    proxies: Mapping[str, str] | None,
    verify: bool | str,
    cert: str | tuple[str, str] | None,
) -> TracedSession:
    """Return the session of a client with these settings."""
    _check_positive("pool_maxsize", pool_maxsize)
    if max_response_bytes is not None:
        _check_positive("max_response_bytes", max_response_bytes)
    _check_policies(redirects, addresses)
    _check_switches(
        pool_block=pool_block, happy_eyeballs=happy_eyeballs, cookies=cookies, trust_env=trust_env
    )
    session = TracedSession(
        environment=Environment.capture() if trust_env else Environment(),
        dialing=_dialing(family, addresses, happy_eyeballs=happy_eyeballs),
        redirects=redirects,
        max_response_bytes=max_response_bytes,
        cookies=cookies,
        pool_maxsize=pool_maxsize,
        pool_block=pool_block,
        pool_connections=_POOLS,
    )
    session.headers.update(_headers(headers))
    session.proxies = _proxies(proxies)
    session.verify = verify
    session.cert = cert
    session.check_tls_files()
    return session


def _check_policies(redirects: object, addresses: object) -> None:
    if not isinstance(redirects, RedirectPolicy):
        raise TypeError(
            f"redirects must be a RedirectPolicy such as RedirectPolicy(limit=3), not {redirects!r}"
        )
    if addresses is not None and not isinstance(addresses, AddressPolicy):
        raise TypeError(f"addresses must be an AddressPolicy or None, not {addresses!r}")


def _check_switches(**switches: object) -> None:
    for name, value in switches.items():
        if not isinstance(value, bool):
            # Not quoted: what is given for `cookies` may be some.
            raise TypeError(f"{name} must be True or False, not {type(value).__name__}")


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    fields = _mapping("headers", headers, '{"Accept": "text/plain"}')
    try:
        check_headers(fields)
    except TypeError as error:
        raise TypeError(f"headers: {error}") from None
    except ValueError as error:
        raise ValueError(f"headers: {error}") from None
    return fields


def _proxies(proxies: Mapping[str, str] | None) -> dict[str, str]:
    places = _mapping("proxies", proxies, '{"https": "http://proxy:3128"}')
    if places:
        # Here: few clients have any.
        from tracedclient.transport.proxies import check_proxies  # noqa: PLC0415

        check_proxies(places)
    return places


def _mapping(name: str, value: object, example: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        # Not quoted: there are passwords in both kinds.
        raise TypeError(f"{name} must be a mapping such as {example}, not {type(value).__name__}")
    return dict(value)


def _check_header_name(argument: str, name: object) -> None:
    if name is not None and not (isinstance(name, str) and _HEADER_NAME.fullmatch(name)):
        raise ValueError(f"{argument} must be a header's name or None, not {name!r}")


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be an int of 1 or more, not {value!r}")


def _dialing(
    family: Literal[4, 6] | None, addresses: AddressPolicy | None, *, happy_eyeballs: bool
) -> Dialing:
    if family not in (None, 4, 6):
        raise ValueError(f"family must be None, 4 or 6, not {family!r}")
    stagger = Dialing.stagger if happy_eyeballs else None
    return Dialing(family, stagger, addresses)


def flag(debug: object) -> FlagUpdater | Unasked:
    """Return what says whether debug is on."""
    if debug is False and not is_overridden_from_outside():
        return Unasked()
    # Here: see Unasked.
    from tracedclient.debug import FlagSource, FlagUpdater, StaticFlag  # noqa: PLC0415

    if isinstance(debug, FlagUpdater):
        return debug
    if isinstance(debug, bool):
        return FlagUpdater(StaticFlag(debug))
    if isinstance(debug, FlagSource):
        return FlagUpdater(debug)
    raise TypeError(
        "debug must be True, False or a flag source such as tracedclient.debug.FileSource(path), "
        f"not {debug!r}"
    )


def fan_out(sinks: Sequence[Sink] | None) -> FanOut | None:
    """Return what hands each trace to all of ``sinks``; ``None`` for the default."""
    if sinks is None:
        return None
    # Here: few clients have any.
    from tracedclient.sinks.sink import FanOut  # noqa: PLC0415

    return FanOut(_each("sinks", sinks, "emit", "JsonLogSink()"))


def _each(name: str, given: Any, method: str, example: str) -> tuple[Any, ...]:
    """Return all of ``given``, which must not be one of them itself: that one has ``method``."""
    if hasattr(given, method) or not isinstance(given, Iterable):
        raise TypeError(f"{name} must be a sequence, such as [{example}], not {given!r}")
    return tuple(given)


def flight(config: FlightRecorder | None) -> tuple[Flight | None, Decision | None]:
    """Return the client's flight recorder, and why calls are recorded for it."""
    if config is None:
        return None, None
    # Here: few clients have one.
    from tracedclient.sinks.flight import FOR_THE_RECORD, Flight  # noqa: PLC0415

    return Flight(config), FOR_THE_RECORD


def with_tracer(instruments: Sequence[Instrument], tracer: Any) -> Sequence[Instrument]:
    """Return ``instruments``, and one more for ``tracer`` if there is any."""
    instruments = _each("instruments", instruments, "begin", "OpenTelemetry()")
    if tracer is None:
        return instruments
    from tracedclient.instruments.opentracing import instrument_of  # noqa: PLC0415 - an extra

    return (*instruments, instrument_of(tracer))
