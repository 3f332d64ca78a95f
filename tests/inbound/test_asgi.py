"""The ASGI middleware: what an application may do, it may still do."""

from __future__ import annotations

import asyncio

import pytest

from inbound.serving import ask_asgi
from tracedclient.inbound import ASGIMiddleware, current_trace_id

ID = [("X-Trace-Id", "order-5")]
BACK = (b"x-trace-id", b"order-5")


def test_application_that_raises():
    """Its exception goes up as it is, and the id does not stay."""
    error = RuntimeError("no")

    async def app(scope, receive, send):
        raise error

    async def main():
        with pytest.raises(RuntimeError) as caught:
            await ask_asgi(ASGIMiddleware(app), ID)
        assert caught.value is error
        assert current_trace_id() is None

    asyncio.run(main())


def test_streamed_body_is_not_touched():
    """Messages but the first pass as the very objects that the application sent."""
    pieces = [{"type": "http.response.body", "body": b"a", "more_body": n < 2} for n in range(3)]

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        for piece in pieces:
            await send(piece)

    start, *rest = asyncio.run(ask_asgi(ASGIMiddleware(app), ID))
    assert start == {"type": "http.response.start", "status": 200, "headers": [BACK]}
    assert all(sent is piece for sent, piece in zip(rest, pieces, strict=True))


def test_message_and_its_headers_stay_the_applications():
    """What the application sends is not altered, and a header of that name of its own is replaced."""
    mine = {
        "type": "http.response.start",
        "status": 200,
        "headers": ((b"X-Trace-Id", b"mine"), (b"a", b"b")),
    }
    before = dict(mine)

    async def app(scope, receive, send):
        await send(mine)

    (sent,) = asyncio.run(ask_asgi(ASGIMiddleware(app), ID))
    assert sent["headers"] == [(b"a", b"b"), BACK]
    assert mine == before


def test_application_that_never_answers_is_cancelled():
    """A client that goes away cancels the task; the cancellation goes through, the id goes."""

    async def main():
        begun = asyncio.Event()

        async def app(scope, receive, send):
            begun.set()
            await receive()

        task = asyncio.ensure_future(ask_asgi(ASGIMiddleware(app), ID))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return current_trace_id()

    assert asyncio.run(main()) is None


def test_requests_at_the_same_time_do_not_mix():
    """Two requests that wait for each other each have their own id, and so have their tasks."""

    async def main():
        events = {b"a": asyncio.Event(), b"b": asyncio.Event()}
        seen = {}

        async def app(scope, receive, send):
            ((_, me),) = scope["headers"]
            other = b"b" if me == b"a" else b"a"

            async def child():
                events[me].set()
                await events[other].wait()
                return current_trace_id()

            seen[me] = (await asyncio.create_task(child()), current_trace_id())

        middleware = ASGIMiddleware(app)
        await asyncio.gather(*(ask_asgi(middleware, [("X-Trace-Id", name)]) for name in ("a", "b")))
        return seen

    assert asyncio.run(main()) == {b"a": ("a", "a"), b"b": ("b", "b")}


def test_websocket():
    """A WebSocket has the id from its handshake to its end; it is told when it is accepted."""
    seen = []
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hi"}]

    async def receive():
        return incoming.pop(0)

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "chat"})
        message = await receive()
        seen.append(current_trace_id())
        await send({"type": "websocket.send", "text": message["text"]})

    sent = asyncio.run(ask_asgi(ASGIMiddleware(app), ID, kind="websocket", receive=receive))
    assert sent == [
        {"type": "websocket.accept", "subprotocol": "chat", "headers": [BACK]},
        {"type": "websocket.send", "text": "hi"},
    ]
    assert seen == ["order-5"]


def test_websocket_that_is_refused():
    """A refused handshake is as without the middleware; a refusal in HTTP tells the id."""
    refusal = {"type": "websocket.http.response.start", "status": 403, "headers": []}

    async def app(scope, receive, send):
        await send({"type": "websocket.close", "code": 1008})
        await send(refusal)

    closed, refused = asyncio.run(ask_asgi(ASGIMiddleware(app), ID, kind="websocket"))
    assert closed == {"type": "websocket.close", "code": 1008}
    assert refused == {**refusal, "headers": [BACK]}


def test_lifespan_passes_untouched():
    """Start and end of the server are no request's; the application gets the server's own calls."""
    got = []

    async def app(*call):
        got.append((*call, current_trace_id()))

    async def receive():
        raise AssertionError

    async def send(_):
        raise AssertionError

    scope = {"type": "lifespan"}
    asyncio.run(ASGIMiddleware(app)(scope, receive, send))
    assert got == [(scope, receive, send, None)]


def test_application_abandoned_by_its_loop():
    """A coroutine that is closed elsewhere, when its loop is gone, ends without an error."""

    async def app(scope, receive, send):
        await asyncio.sleep(0)

    async def nothing(*_):
        pass

    scope = {"type": "http", "headers": [(b"x-trace-id", b"order-5")]}
    served = ASGIMiddleware(app)(scope, nothing, nothing)

    async def start():
        served.send(None)

    import contextvars

    contextvars.copy_context().run(asyncio.run, start())
    served.close()
    assert current_trace_id() is None
