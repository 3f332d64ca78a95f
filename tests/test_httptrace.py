"""``ClientTrace`` and ``client_trace``: who is called, in which order, and what harms nobody."""

from __future__ import annotations

import contextvars
import inspect
import threading
import typing

import msgspec
import pytest

from tracedclient import TracedSession, httptrace
from tracedclient.httptrace import HOOKS, ClientTrace, client_trace, current_client_trace

INFO = httptrace.ExchangeStartInfo(method="GET", url="http://api.test/", proxy=None)
GOS_SIXTEEN = [
    "get_conn",
    "got_conn",
    "put_idle_conn",
    "got_first_response_byte",
    "got_100_continue",
    "got_1xx_response",
    "dns_start",
    "dns_done",
    "connect_start",
    "connect_done",
    "tls_handshake_start",
    "tls_handshake_done",
    "wrote_header_field",
    "wrote_headers",
    "wait_100_continue",
    "wrote_request",
]


class Letter(ClientTrace):
    """Writes its letter, and the argument, into a log that several share."""

    def __init__(self, letter, log):
        self.letter = letter
        self.log = log
        self.infos = []

    def exchange_start(self, info):
        self.log.append(self.letter)
        self.infos.append(info)


class Silent(ClientTrace):
    """Defines no hook at all."""


class Raising(ClientTrace):
    """Every hook of it raises."""

    def __init__(self, error=ZeroDivisionError):
        self.error = error
        self.calls = 0

    def exchange_start(self, info):
        self.calls += 1
        raise self.error("a hook's own fault")

    get_conn = got_conn = wrote_request = response_head = body_done = exchange_start


@pytest.fixture
def session():
    with TracedSession() as made:
        yield made


# --- composition: Go's TestWithClientTrace and TestCompose -----------------------------------------


@pytest.mark.parametrize("letters", ["O", "ON", "OMN"])
def test_newest_trace_is_called_first(letters):
    """Nested traces are all called, the innermost first: Go's "NO", three deep "NMO"."""
    log = []
    traces = [Letter(letter, log) for letter in letters]

    def nest(rest):
        if not rest:
            current_client_trace().exchange_start(INFO)
            return
        with client_trace(rest[0]):
            nest(rest[1:])

    nest(traces)
    assert "".join(log) == letters[::-1]
    assert [trace.infos for trace in traces] == [[INFO]] * len(traces)


@pytest.mark.parametrize(
    ("this", "older", "called"),
    [(Letter, Silent, "T"), (Letter, Letter, "TO"), (Silent, Letter, "O"), (Silent, Silent, "")],
    ids=["only this", "both", "only the older", "neither"],
)
def test_traces_compose_hook_by_hook(this, older, called):
    """A hook that only one of two nested traces defines is called on that one (Go's TestCompose)."""
    log = []
    make = {Letter: lambda letter: Letter(letter, log), Silent: lambda _: Silent()}
    with client_trace(make[older]("O")), client_trace(make[this]("T")):
        current_client_trace().exchange_start(INFO)
    assert "".join(log) == called


def test_composing_changes_neither_object():
    """A trace is the same object before, during and after, and may be used alone again."""
    log = []
    older, newer = Letter("O", log), Letter("N", log)
    before = [(dict(vars(trace)), type(trace)) for trace in (older, newer)]
    with client_trace(older), client_trace(newer):
        pass
    assert [(vars(trace), type(trace)) for trace in (older, newer)] == before
    with client_trace(older):
        current_client_trace().exchange_start(INFO)
    assert log == ["O"]


def test_trace_used_twice_does_not_call_itself():
    """The same object in two nested blocks is called once for each (in Go, it calls itself)."""
    log = []
    trace = Letter("T", log)
    with client_trace(trace), client_trace(trace):
        current_client_trace().exchange_start(INFO)
    assert log == ["T", "T"]


# --- the context -----------------------------------------------------------------------------------


def test_context_is_restored():
    """After the block, also after one that raised, what was in force before is so again."""
    assert current_client_trace() is None
    with client_trace(Silent()):
        outer = current_client_trace()
        with client_trace(Silent()):
            assert current_client_trace() is not outer
        assert current_client_trace() is outer
        with pytest.raises(RuntimeError), client_trace(Silent()):
            raise RuntimeError
        assert current_client_trace() is outer
    assert current_client_trace() is None


def test_other_threads_are_not_watched():
    """A trace watches its own context: another thread has none, unless it runs in a copy of it."""
    seen = []

    def look():
        seen.append(current_client_trace() is None)

    with client_trace(Silent()):
        copied = contextvars.copy_context()
        for target in (look, lambda: copied.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [True, False]


@pytest.mark.parametrize("trace", [None, object(), "trace", Silent, lambda info: None])
def test_only_a_client_trace_can_watch(trace):
    """Anything but a ``ClientTrace`` object is refused by name, and nothing is in force then."""
    with pytest.raises(TypeError, match=r"trace must be a .*ClientTrace, not"), client_trace(trace):
        pass
    assert current_client_trace() is None


# --- a hook that raises ----------------------------------------------------------------------------


def test_raising_hook_is_logged_once_and_dropped(session, echo_server, caplog):
    """A trace whose hook raises is logged once, then silent; the others and the request go on."""
    log = []
    raising, older, newer = Raising(), Letter("O", log), Letter("N", log)
    with client_trace(older), client_trace(raising), client_trace(newer):
        answers = [session.get(echo_server.url) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert log == ["N", "O", "N", "O"]
    assert raising.calls == 1
    (record,) = [record for record in caplog.records if record.name == "tracedclient"]
    assert record.levelname == "WARNING"
    assert "Raising.exchange_start raised; this trace is dropped" in record.getMessage()
    assert record.exc_info[0] is ZeroDivisionError


def test_dropped_trace_is_back_in_the_next_block(caplog):
    """What is dropped is dropped for its block; a new block gives it another chance."""
    raising = Raising()
    for _ in range(2):
        with client_trace(raising):
            current_client_trace().exchange_start(INFO)
            current_client_trace().exchange_start(INFO)
    assert raising.calls == 2
    assert caplog.text.count("this trace is dropped") == 2


def test_interruption_in_a_hook_goes_through():
    """What is no ``Exception``, such as Ctrl-C, is not swallowed."""
    with client_trace(Raising(KeyboardInterrupt)), pytest.raises(KeyboardInterrupt):
        current_client_trace().exchange_start(INFO)


# --- the hooks -------------------------------------------------------------------------------------


def test_hooks_are_gos_and_those_that_go_lacks():
    """Go's sixteen come first, in the order of its documentation's words, then ours."""
    assert [*HOOKS[:16]] == GOS_SIXTEEN
    assert len(HOOKS) == len(set(HOOKS)) > 16


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_takes_one_frozen_record(hook):
    """Each hook is documented, takes one ``info``, and that is a frozen record of public fields."""
    method = getattr(ClientTrace, hook)
    assert method.__doc__
    assert list(inspect.signature(method).parameters) == ["self", "info"]
    record = typing.get_type_hints(method, vars(httptrace))["info"]
    assert issubclass(record, msgspec.Struct)
    assert record.__struct_config__.frozen
    assert record.__name__ == "".join(map(capital, hook.split("_"))) + "Info"
    assert record.__name__ in httptrace.__all__


def capital(word):
    return word.upper() if word in ("dns", "tls") else word.capitalize()


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_reaches_a_watcher(hook):
    """Each hook called on what is in force reaches the trace with its argument; none returns."""
    seen = []
    watcher = type("Watcher", (ClientTrace,), {hook: lambda self, info: seen.append(info)})
    with client_trace(Silent()), client_trace(watcher()):
        assert getattr(current_client_trace(), hook)(INFO) is None
    assert seen == [INFO]


def test_public_names_are_sorted_and_there():
    """``__all__`` names what exists, each once."""
    assert all(hasattr(httptrace, name) for name in httptrace.__all__)
    assert len(set(httptrace.__all__)) == len(httptrace.__all__)
