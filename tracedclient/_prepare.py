"""The caller's request → one that is ready to be sent, or an error that says what is wrong with it.

requests lets some requests through that fail later with an error of another library, or not at all:
a NUL in a header, a method with a space, a header beyond latin-1. They are refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.exceptions import InvalidHeader, InvalidURL

from tracedclient._pattern import pattern
from tracedclient.transport import are_plain, copied, has_any, is_prepared_plainly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest

IDEMPOTENCY_HEADERS = ("Idempotency-Key", "X-Idempotency-Key")
_IDEMPOTENCY_KEYS = frozenset(name.lower() for name in IDEMPOTENCY_HEADERS)

_USUAL_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TOKEN = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = pattern(r"[\x00-\x08\x0a-\x1f\x7f]")
_KEY = pattern(r"[\x21-\x7e]{1,255}")


def prepare(
    session: requests.Session, request: Any, body_factory: Callable[[], Any] | None = None
) -> PreparedRequest:
    """Return ``request`` prepared by ``session``, or a copy of one that is prepared already.

    ``body_factory`` makes its body, if it has none.

    Raises requests' ``InvalidURL``, ``MissingSchema``, ``InvalidHeader``, … ; ``TypeError`` and
    ``ValueError`` name what of the request they object to.
    """
    is_checked = False
    if isinstance(request, requests.Request):
        _check_method(request.method)
        if request.headers:
            # Before requests looks at them: its own errors quote the value.
            check_headers(request.headers)
        prepared = _prepared(session, request)
        is_checked = is_prepared_plainly(prepared)
    elif isinstance(request, requests.PreparedRequest):
        prepared = copied(request)
    else:
        raise TypeError(
            "request must be a requests.Request or a requests.PreparedRequest, "
            f"not {type(request).__name__}"
        )
    if not is_checked:
        _check_method(prepared.method)
    if not prepared.url:
        raise InvalidURL("request.url must not be empty", request=prepared)
    if body_factory is not None:
        _use_factory(prepared, body_factory)
    if not is_checked:
        check_headers(prepared.headers)
    if prepared.body is not None:
        _check_body(prepared.body)
    return prepared


def _prepared(session: requests.Session, request: requests.Request) -> PreparedRequest:
    try:
        return session.prepare_request(request)
    except requests.RequestException:
        raise
    except UnicodeError as error:
        raise InvalidURL(f"request.url cannot be encoded: {error.reason}") from error  # type: ignore[attr-defined]
    except (TypeError, AttributeError) as error:
        raise TypeError(f"request has an argument of the wrong type: {error}") from error
    except ValueError as error:
        raise ValueError(f"request has an argument that cannot be encoded: {error}") from error


def _check_method(method: object) -> None:
    if type(method) is str and method in _USUAL_METHODS:
        return
    if not isinstance(method, str):
        raise TypeError(f"request.method must be a str, not {type(method).__name__}")
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"request.method must be an HTTP token such as GET, not {method[:40]!r}")


def check_headers(headers: Mapping[Any, Any]) -> None:
    """Raise ``TypeError`` or ``InvalidHeader``, which names the header and does not show its value."""
    if are_plain(headers):
        return
    for name, value in headers.items():
        _check_header_name(name)
        if value is not None:  # requests: leave this header of the session's out
            _check_header_value(_text(name), value)


def _check_header_name(name: object) -> None:
    if not isinstance(name, (str, bytes)):
        raise TypeError(f"a header's name must be a str, not {name!r}")
    if not _TOKEN.fullmatch(_text(name)):
        raise InvalidHeader(f"a header's name must be an HTTP token such as X-Team, not {name!r}")


def _check_header_value(name: str, value: object) -> None:
    # The value is not quoted in any of these: it may be a credential.
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"the header {name} must be a str, not {type(value).__name__}")
    text = _text(value)
    if _FORBIDDEN.search(text):
        raise InvalidHeader(f"the header {name} has a control character in its value")
    if text[:1].isspace():
        raise InvalidHeader(f"the header {name} has a value that begins with white space")
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise InvalidHeader(
            f"the header {name} has a character beyond latin-1 in its value; encode it"
        ) from None


def _use_factory(prepared: PreparedRequest, body_factory: Any) -> None:
    if not callable(body_factory):
        raise TypeError(f"body_factory must be callable, not {type(body_factory).__name__}")
    if prepared.body is not None:
        raise ValueError("body_factory makes the body: leave out data, json and files")
    set_body(prepared, body_factory())


def set_body(prepared: PreparedRequest, body: Any) -> None:
    """Give ``prepared`` another body, framed by its own length or in chunks."""
    for name in ("Content-Length", "Transfer-Encoding"):
        prepared.headers.pop(name, None)
    prepared.prepare_body(body, None)


def _check_body(body: object) -> None:
    if isinstance(body, (bytes, str, bytearray, memoryview)):
        return
    if not (hasattr(body, "read") or hasattr(body, "__iter__")):
        raise TypeError(
            "request.data must be bytes, a str, a form, a file or an iterable of bytes, "
            f"not {type(body).__name__}"
        )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def add_idempotency_key(prepared: PreparedRequest, key: str | bool | None) -> bool:
    """Add the key, the same for every attempt; return whether the request carries one.

    ``True`` makes one up. Raises ``TypeError`` or ``ValueError`` for a key that is none.
    """
    if key is not None and key is not False:
        prepared.headers[IDEMPOTENCY_HEADERS[0]] = _idempotency_key(key)
    return has_any(prepared.headers, _IDEMPOTENCY_KEYS)


def _idempotency_key(key: object) -> str:
    if key is True:
        import uuid  # noqa: PLC0415 - it loads platform, and few calls have a key

        return str(uuid.uuid4())
    if not isinstance(key, str):
        raise TypeError(f"idempotency_key must be True or a str, not {type(key).__name__}")
    if not _KEY.fullmatch(key):
        raise ValueError("idempotency_key must be 1 to 255 visible ASCII characters")
    return key
