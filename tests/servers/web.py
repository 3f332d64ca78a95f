"""``serve``: an ordinary keep-alive HTTP server, and ``echo``, an application for it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

from servers.messages import Answer, HeaderFields, Request
from servers.scripted import Handler, ScriptedServer

if TYPE_CHECKING:
    from servers.peer import Peer

App: TypeAlias = Callable[[Request], Answer | tuple[int, HeaderFields, bytes]]


def serve(app: App, **options: Any) -> ScriptedServer:
    """A server that answers each request with ``app``'s ``Answer`` or (status, headers, body).

    A connection ends when either side says ``Connection: close``. ``Expect: 100-continue`` gets
    its 100. ``options`` are those of ``ScriptedServer``.
    """
    return ScriptedServer(_keep_alive(app), **options)


def _keep_alive(app: App) -> Handler:
    def handle(peer: Peer) -> None:
        while (request := _next_request(peer)) is not None:
            answer = _as_answer(app(request))
            peer.sleep(answer.delay)
            peer.send_answer(answer)
            if request.wants_close or peer.closed:
                return

    return handle


def _next_request(peer: Peer) -> Request | None:
    head = peer.read_head()
    if head is None:
        return None
    if "100-continue" in head.headers.tokens("Expect"):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return peer.read_body(head)


def _as_answer(given: Answer | tuple[int, HeaderFields, bytes]) -> Answer:
    if isinstance(given, Answer):
        return given
    status, headers, body = given
    return Answer(status, body, headers)


def echo(request: Request) -> Answer:
    """Says what was asked, as JSON; some paths answer in a way of their own.

    ``/status/<code>``, ``/redirect?to=<url>&code=302``, ``/redirect-chain/<n>``, ``/slow?ms=100``,
    ``/gzip``, ``/bytes/<n>``, ``/chunked/<n>``, ``/close``, ``/set-cookie?<name>=<value>``; any
    other path is a plain 200. A body that is not UTF-8 comes back as ``body_base64``.
    """
    route, *rest = request.path.removeprefix("/").split("/", 1)
    answer = _ROUTES.get(route, _said)
    return answer(request, *rest)


def _said(request: Request, *_: str) -> Answer:
    return Answer(200, _description(request), _JSON)


def _description(request: Request) -> bytes:
    said = {
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "connection": request.connection,
    }
    try:
        said["body"] = request.body.decode()
    except UnicodeDecodeError:
        said["body_base64"] = base64.b64encode(request.body).decode()
    return json.dumps(said).encode()


def _status(request: Request, code: str) -> Answer:
    return Answer(int(code), _description(request), _JSON)


def _redirect(request: Request) -> Answer:
    code = int(request.query.get("code", "302"))
    return Answer(code, headers={"Location": request.query["to"]})


def _redirect_chain(request: Request, left: str) -> Answer:
    if left == "0":
        return _said(request)
    return Answer(302, headers={"Location": f"/redirect-chain/{int(left) - 1}"})


def _slow(request: Request) -> Answer:
    delay = int(request.query.get("ms", "100")) / 1000
    return Answer(200, _description(request), _JSON, delay=delay)


def _gzip(request: Request) -> Answer:
    body = gzip.compress(_description(request))
    return Answer(200, body, {**_JSON, "Content-Encoding": "gzip"})


def _bytes(_: Request, size: str) -> Answer:
    return Answer(200, b"x" * int(size), {"Content-Type": "application/octet-stream"})


def _chunks(_: Request, count: str) -> Answer:
    return Answer(200, (b"chunk %d\n" % number for number in range(int(count))))


def _close(request: Request) -> Answer:
    return Answer(200, _description(request), _JSON, close=True)


def _set_cookie(request: Request) -> Answer:
    cookies = [("Set-Cookie", f"{urlencode({k: v})}; Path=/") for k, v in request.query.items()]
    return Answer(200, _description(request), [*_JSON.items(), *cookies])


_JSON = {"Content-Type": "application/json"}

_ROUTES: dict[str, Callable[..., Answer]] = {
    "status": _status,
    "redirect": _redirect,
    "redirect-chain": _redirect_chain,
    "slow": _slow,
    "gzip": _gzip,
    "bytes": _bytes,
    "chunked": _chunks,
    "close": _close,
    "set-cookie": _set_cookie,
}
