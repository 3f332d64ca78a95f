"""``Gateway``: etcd's v3 API as JSON over HTTP: several members, one token, no gRPC.

Every member of a cluster answers for the whole of it, so one that does not is passed over. What a
member refuses for a reason of the cluster's (a permission, an unknown method) the others would too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.debug.document import MAX_BYTES, excerpt
from tracedclient.debug.fetching.url import parse_url
from tracedclient.debug.fetching.web import Web, refusal
from tracedclient.debug.source import SourceError
from tracedclient.debug.sources.etcd_messages import AuthenticateResponse, Problem, decode

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from threading import Event

    from tracedclient.debug.fetching.web import Answer

MAX_ANSWER = 2 * MAX_BYTES
"""Base64 makes a document a third longer, and other fields go with it."""

_ANOTHER_MAY_ANSWER = {408, 429}
"""What a gateway makes of gRPC's codes for a member without a leader or without time."""
_TOKEN_IS_OVER = ("invalid auth token", "user name is empty", "revision of auth store is old")
_NO_AUTH = "authentication is not enabled"
# A member that was cut off from the others would keep a watch open, and hear of nothing.
_NEEDS_LEADER = {"Grpc-Metadata-hasleader": "true"}


class Refused(SourceError):
    """A member answered, and the answer is no."""


class TokenIsOver(Refused):
    """It ran out, or the members forgot it, or they ask for one since a moment ago."""


class Gateway:
    """The members of one cluster, as one user of it.

    endpoints  ``http://etcd-1:2379``, or several of them
    prefix     of each path: ``/v3`` since etcd 3.4, ``/v3beta`` with 3.3
    user       and ``password``, when the cluster has authentication switched on
    web        sends the requests

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        *,
        prefix: str,
        user: str | None,
        password: str | None,
        web: Web,
    ) -> None:
        self._endpoints = deque(_check_endpoints(endpoints))
        self._prefix = _check_prefix(prefix)
        self._credentials = _check_credentials(user, password)
        self._web = web
        self._token: str | None = None

    @property
    def peers(self) -> str:
        """The members, for a name: ``etcd-1:2379,etcd-2:2379``."""
        return ",".join(parse_url(each).peer for each in self._endpoints)

    def ask(self, method: str, message: dict[str, Any], *, cancel: Event) -> bytes:
        """Return the answer to ``method`` (``/kv/range``) of the first member that gives one.

        Raises ``SourceError``, which is ``Refused`` when a member answered.
        """
        try:
            return self._ask_members(method, message, cancel)
        except TokenIsOver:
            if self._credentials is None:
                raise
            self._token = None
            return self._ask_members(method, message, cancel)

    def stream(
        self, method: str, message: dict[str, Any], *, wait: float, cancel: Event
    ) -> Generator[bytes, None, None]:
        """Yield the lines of the member that answered last, for ``wait`` seconds at most."""
        endpoint = self._endpoints[0]
        try:
            yield from self._web.lines(
                "POST",
                self._url(endpoint, method),
                headers={**self._fields(endpoint, cancel), **_NEEDS_LEADER},
                body=msgspec.json.encode(message),
                wait=wait,
                cancel=cancel,
            )
        except SourceError:
            self._pass_over(endpoint)
            raise

    def _ask_members(self, method: str, message: dict[str, Any], cancel: Event) -> bytes:
        problems = []
        for endpoint in list(self._endpoints):
            try:
                return self._ask(endpoint, method, message, cancel)
            except SourceError as error:
                if cancel.is_set() or isinstance(error, Refused):
                    raise
                problems.append(error)
                self._pass_over(endpoint)
        words = "; ".join(map(str, problems))
        raise SourceError(words, retry_after=problems[-1].retry_after)

    def _pass_over(self, endpoint: str) -> None:
        if self._endpoints[0] == endpoint:
            self._endpoints.rotate(-1)

    def _ask(self, endpoint: str, method: str, message: dict[str, Any], cancel: Event) -> bytes:
        return self._post(endpoint, method, message, self._fields(endpoint, cancel), cancel)

    def _post(
        self,
        endpoint: str,
        method: str,
        message: dict[str, Any],
        fields: dict[str, str],
        cancel: Event,
    ) -> bytes:
        url = self._url(endpoint, method)
        body = msgspec.json.encode(message)
        answer = self._web.request("POST", url, headers=fields, body=body, cancel=cancel)
        if answer.status != 200:
            raise _refusal(url, answer)
        return answer.body

    def _fields(self, endpoint: str, cancel: Event) -> dict[str, str]:
        fields = {"Content-Type": "application/json"}
        if self._credentials is None:
            return fields
        if self._token is None:
            self._token = self._authenticate(endpoint, fields, cancel)
        return {**fields, "Authorization": self._token} if self._token else fields

    def _authenticate(self, endpoint: str, fields: dict[str, str], cancel: Event) -> str:
        """Return a token; an empty one when the cluster does not ask for any, yet."""
        try:
            body = self._post(
                endpoint, "/auth/authenticate", self._credentials or {}, fields, cancel
            )
        except Refused as error:
            if _NO_AUTH in str(error):
                return ""
            raise
        return decode(body, AuthenticateResponse).token

    def _url(self, endpoint: str, method: str) -> str:
        return f"{endpoint}{self._prefix}{method}"

    def after_fork(self) -> None:
        """Forget the parent's connections. The token is good for both."""
        self._web.after_fork()

    def close(self) -> None:
        """Close the connections."""
        self._web.close()


def explain(message: str) -> Refused:
    """Return the error for what etcd said."""
    kind = TokenIsOver if any(text in message for text in _TOKEN_IS_OVER) else Refused
    return kind(excerpt(message, 200))


def _refusal(url: str, answer: Answer) -> SourceError:
    error = refusal(url, answer)
    if answer.status >= 500 or answer.status in _ANOTHER_MAY_ANSWER:
        return error
    try:
        message = decode(answer.body, Problem).message
    except SourceError:
        message = ""
    if message:
        return explain(f"{parse_url(url).peer}: {message}")
    hint = "; etcd 3.3 needs prefix='/v3beta'" if answer.status == 404 else ""
    return Refused(f"{error}{hint}", retry_after=error.retry_after)


def _check_endpoints(endpoints: str | Sequence[str]) -> list[str]:
    if not isinstance(endpoints, Iterable):
        raise TypeError(f"endpoints must be URLs, not {type(endpoints).__name__}")
    each = [endpoints] if isinstance(endpoints, str) else list(endpoints)
    if not each:
        raise ValueError("endpoints must name a member at least, such as 'http://localhost:2379'")
    return [_check_endpoint(one) for one in each]


def _check_endpoint(endpoint: str) -> str:
    target = parse_url(endpoint, argument="endpoints")
    if target.userinfo is not None:
        raise ValueError("endpoints hold no credentials: pass user= and password=")
    if "?" in target.path:
        raise ValueError("endpoints have no query: only scheme, host, port and path")
    return target.shown.rstrip("/")


def _check_prefix(prefix: str) -> str:
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a str, not {type(prefix).__name__}")
    if not prefix.startswith("/") or prefix.endswith("/"):
        raise ValueError(f"prefix must begin with / and not end with it, not {prefix!r}")
    return prefix


def _check_credentials(user: str | None, password: str | None) -> dict[str, str] | None:
    if user is None and password is None:
        return None
    if not isinstance(user, str) or not isinstance(password, str):
        raise TypeError("user and password must both be a str, or both be left out")
    return {"name": user, "password": password}
