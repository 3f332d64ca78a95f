"""Several traces on one request, and what a hook may do to it: nothing."""

from __future__ import annotations

import pytest
import requests
import servers

from httptrace.watching import Awaited, ask
from tracedclient.httptrace import HOOKS, ClientTrace, client_trace


class Letter(Awaited):
    """Also writes its letter into a log that several share, at each ``got_conn``."""

    def __init__(self, letter, log):
        super().__init__()
        self.letter, self.log = letter, log

    def got_conn(self, info):
        super().got_conn(info)
        self.log.append(self.letter)


class Refusing(ClientTrace):
    """Gives every 1xx the same answer."""

    def __init__(self, answer):
        self.answer = answer

    def got_1xx_response(self, info):
        return self.answer


@pytest.fixture
def hinting(start):
    """Sends a 103, then a 200."""

    def handle(peer):
        while peer.read_request():
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            peer.answer(200, b"done")

    return start(servers.ScriptedServer(handle)).url


@pytest.mark.parametrize("letters", ["T", "TO", "NMO"])
def test_with_client_trace(session, echo_server, letters):
    """Go: TestWithClientTrace, TestCompose. Nested traces are called newest first, with the same
    arguments, and no hook is called twice."""
    log = []
    newest, *older = [Letter(letter, log) for letter in letters]

    def nested(rest):
        if not rest:
            return ask(session, echo_server.url, newest)
        with client_trace(rest[-1]):
            return nested(rest[:-1])

    nested(older)

    assert "".join(log) == letters
    for trace in older:
        assert list(map(id, (i for _, i in trace.entries))) == [id(i) for _, i in newest.entries]


def test_compose_only_the_older_has_the_hook(session, echo_server, journal):
    """Go: TestCompose. A hook that only the older trace defines is called on that one."""
    with client_trace(journal):
        ask(session, echo_server.url, ClientTrace())

    assert journal.count("got_conn") == 1


def test_composing_changes_no_object(session, echo_server):
    """Go: WithClientTrace changes its argument. Here a trace used in nested blocks is called once
    for each, and alone again afterwards."""
    log = []
    trace = Letter("T", log)
    with client_trace(trace):
        ask(session, echo_server.url, trace)
    assert log == ["T", "T"]

    ask(session, echo_server.url, trace)
    assert log == ["T", "T", "T"]


def test_the_newest_refusal_decides(session, hinting):
    """Go: golang/go#76669, where the newer hook's error is lost. Here the newest one counts."""
    newest = RuntimeError("newest")
    with (
        client_trace(Refusing(RuntimeError("oldest"))),
        client_trace(Refusing(newest)),
        pytest.raises(requests.ConnectionError) as caught,
    ):
        ask(session, hinting, Refusing(None))

    assert causes(caught.value)[-1] is newest


def causes(error):
    """``error`` and what lies behind it."""
    found = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__ or getattr(error, "reason", None)
    return found


def test_an_older_refusal_is_heard(session, hinting, journal):
    """Go: Got1xxResponse. A newer trace that has no objection does not take an older one's away."""
    with client_trace(Refusing(RuntimeError("no hints"))), pytest.raises(requests.ConnectionError):
        ask(session, hinting, journal)

    assert journal.hooks[-2:] == ["got_1xx_response", "failed"]


def test_example(session, echo_server, resolver, capsys):
    """Go: Example. The two hooks of its documentation's example print what they are given."""
    resolver["example.com"] = ["127.0.0.1"]

    class Example(ClientTrace):
        def got_conn(self, info):
            print(f"Got Conn: {info.remote}")

        def dns_done(self, info):
            print(f"DNS Info: {info.addrs}")

    ask(session, f"http://example.com:{echo_server.port}/", Example())

    assert capsys.readouterr().out.splitlines() == [
        "DNS Info: ('127.0.0.1',)",
        f"Got Conn: {echo_server.host_port}",
    ]


@pytest.mark.parametrize("hook", [h for h in HOOKS if h not in {"attempt_start", "attempt_done"}])
def test_a_hook_that_raises_harms_nobody(session, journal, hinting, caplog, hook):
    """Beyond Go, where it ends the process: a trace that raises is dropped and logged once, the
    others and the request go on."""

    def raises(self, info):
        raise ZeroDivisionError(hook)

    raising = type("Raising", (ClientTrace,), {hook: raises})
    with client_trace(journal):
        response = ask(session, hinting, raising())

    assert response.text == "done"
    assert journal.count("body_done") == 1
    logged = [record for record in caplog.records if f".{hook} raised" in record.getMessage()]
    assert len(logged) == min(1, journal.count(hook))
