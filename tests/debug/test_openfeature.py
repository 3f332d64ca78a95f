"""A flag of an OpenFeature provider, on the application's own client."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider
from openfeature.provider.in_memory_provider import InMemoryFlag
from pushing_provider import KEY, PushingProvider, start_event_threads

from tracedclient.debug import OpenFeatureSource, SourceError
from tracedclient.debug.document import decode
from tracedclient.debug.source import Absent, Document, NotModified

UNTIL = 1_800_000_600
NEVER = 30.0
"""Seconds between two looks at which no test would wait for the second."""


def ask(source, previous=None, wait=0.0):
    return source.fetch(previous, wait=wait, cancel=threading.Event())


@pytest.fixture(autouse=True)
def _event_threads():
    start_event_threads()


@pytest.fixture
def provider(request):
    """A ``PushingProvider`` without a flag, set for the test's own domain."""
    provider = PushingProvider()
    api.set_provider_and_wait(provider, request.node.name)
    return provider


@pytest.fixture
def client(request, provider):
    """A client of ``provider``."""
    return api.get_client(request.node.name)


@pytest.fixture
def source(client):
    """A source on ``client`` that looks again only when something happens."""
    source = OpenFeatureSource(client, KEY, every=NEVER)
    yield source
    source.close()


@pytest.mark.parametrize("value", [True, False])
def test_boolean_flag(provider, source, value):
    """A boolean flag is the bare ``true`` or ``false``, however often it is looked at."""
    provider.set(value)
    found = ask(source)
    assert found.body == json.dumps(value).encode()
    assert ask(source) == found
    assert ask(source, found.revision) == NotModified()


def test_object_flag(provider, source):
    """An object is the document; numbers that a protocol made floats are whole again."""
    provider.set({"schema": 1.0, "enabled": True, "until": float(UNTIL), "reason": "INC-4711"})
    found = ask(source)
    assert decode(found.body).reason == "INC-4711"
    provider.set({"reason": "INC-4711", "until": UNTIL, "schema": 1, "enabled": True})
    assert ask(source, found.revision) == NotModified()


def test_flag_changes_its_kind(provider, source):
    """A boolean flag may become an object, and the other way round."""
    document = {"schema": 1, "enabled": True, "until": UNTIL}
    bodies = []
    for value in (True, document, False, document):
        provider.set(value)
        bodies.append(json.loads(ask(source).body))
    assert bodies == [True, document, False, document]


def test_no_such_flag(provider, source):
    """A flag that the provider does not know is absent, and can come and go."""
    assert ask(source) == Absent()
    provider.set(True)
    assert isinstance(ask(source), Document)
    provider.remove()
    assert ask(source, "r") == Absent()


def answering(value, reason):
    return InMemoryFlag(
        "now", {}, context_evaluator=lambda *_: FlagResolutionDetails(value, reason=reason)
    )


class Untyped(PushingProvider):
    """As Unleash's provider: a switch has no payload, and asked for an object gives the default."""

    on = True

    def resolve_object_details(self, flag_key, default_value, evaluation_context=None):
        return FlagResolutionDetails(default_value, reason=Reason.DEFAULT)

    def resolve_boolean_details(self, flag_key, default_value, evaluation_context=None):
        reason = Reason.TARGETING_MATCH if self.on else Reason.DEFAULT
        return FlagResolutionDetails(self.on, reason=reason)


def test_flag_without_type(request):
    """Where a flag has no value but its switch, that switch is the flag; off, it is absent."""
    provider = Untyped()
    api.set_provider_and_wait(provider, request.node.name)
    source = OpenFeatureSource(api.get_client(request.node.name))
    assert ask(source).body == b"true"
    provider.on = False
    assert ask(source) == Absent()
    source.close()


def test_disabled_flag(provider, source):
    """A flag that was disabled gives its default, and is absent."""
    provider.put(answering(False, Reason.DISABLED))
    assert ask(source) == Absent()


@pytest.mark.parametrize("value", ["true", 1, 1.5])
def test_flag_of_another_type(provider, source, value):
    """A flag that is neither is an error, in words that say what to make of it."""
    provider.set(value)
    with pytest.raises(SourceError, match="tracedclient must be a boolean or an object"):
        ask(source)
    provider.set(True)
    assert ask(source).body == b"true"


def test_flag_that_is_not_json(provider, source):
    """An object that JSON cannot hold is an error."""
    provider.set({"until": object()})
    with pytest.raises(SourceError, match="tracedclient is not JSON"):
        ask(source)


def test_client_without_a_provider():
    """A client whose provider was never set is an error, not a flag that is off."""
    source = OpenFeatureSource(api.get_client("nobody"))
    with pytest.raises(SourceError, match=r"no provider: call openfeature.api.set_provider\(\)"):
        ask(source)
    source.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [(ErrorCode.PROVIDER_FATAL, "PROVIDER_FATAL"), (ErrorCode.GENERAL, "is in error")],
)
def test_provider_in_error(provider, source, code, words):
    """A missing flag is not taken for off while the provider is in error; it says which one."""
    provider.fail(code)
    with pytest.raises(SourceError, match=f"OpenFeature provider In-Memory Provider.*{words}"):
        ask(source, "r")


def test_provider_that_raises(provider, source):
    """What a provider raises is told without its secrets."""

    def fail(*_):
        raise RuntimeError("cannot reach https://me:secret@flags.internal/api?token=x")

    provider.put(InMemoryFlag("now", {}, context_evaluator=fail))
    with pytest.raises(SourceError, match="GENERAL, cannot reach") as caught:
        ask(source)
    assert "secret" not in str(caught.value)
    assert "token=x" not in str(caught.value)


def test_context_reaches_the_provider(client, provider):
    """The context given is that of every evaluation."""
    seen = []

    def evaluate(flag, context):
        seen.append((context.targeting_key, context.attributes))
        return FlagResolutionDetails({"schema": 1})

    provider.put(InMemoryFlag("now", {}, context_evaluator=evaluate))
    source = OpenFeatureSource(client, context=EvaluationContext("web-7", {"service": "orders"}))
    ask(source)
    assert seen == [("web-7", {"service": "orders"})]
    source.close()


def test_event_ends_the_wait(provider, source, updater, eventually):
    """A change that the provider tells of is seen at once, without another look being due."""
    provider.set(False)
    flag = updater(source)
    assert flag.wait_ready(5)
    for value in (True, False, True):
        provider.set(value)
        eventually(lambda value=value: flag.is_on() is value)


def test_flag_appears_and_vanishes(provider, source, updater, eventually):
    """A flag that is created, deleted and created again is followed as fast."""
    flag = updater(source)
    assert flag.wait_ready(5)
    for _ in range(2):
        provider.set(True)
        eventually(flag.is_on)
        provider.remove()
        eventually(lambda: flag.status().state == "ABSENT")


def test_looks_without_events(provider, client, updater, eventually):
    """A provider that says nothing is looked at again and again."""
    provider.set(False)
    flag = updater(OpenFeatureSource(client, every=0.01))
    assert flag.wait_ready(5)
    provider.set(True, tell=False)
    eventually(flag.is_on)


def test_silence_ends_with_the_wait(provider, source):
    """Without any news a fetch ends when it was told to."""
    provider.set(True)
    revision = ask(source).revision
    begun = time.monotonic()
    assert ask(source, revision, wait=0.05) == NotModified()
    assert time.monotonic() - begun >= 0.05


def test_cancel_ends_the_wait(provider, source):
    """A cancelled fetch comes back soon."""
    provider.set(True)
    revision, cancel = ask(source).revision, threading.Event()
    threading.Timer(0.05, cancel.set).start()
    begun = time.monotonic()
    source.fetch(revision, wait=NEVER, cancel=cancel)
    assert time.monotonic() - begun < 5


class Slow(PushingProvider):
    """Is ready when told."""

    def __init__(self):
        super().__init__(True)
        self.go = threading.Event()

    def initialize(self, evaluation_context):
        self.go.wait(10)


def test_provider_that_starts(request, updater, eventually, lines):
    """A provider that has just been set may take a moment to start: nobody is alarmed."""
    provider = Slow()
    api.set_provider(provider, request.node.name)
    flag = updater(OpenFeatureSource(api.get_client(request.node.name), every=NEVER))
    assert not flag.wait_ready(0.1)
    provider.go.set()
    eventually(flag.is_on)
    assert lines("WARNING") == []


def test_provider_that_is_not_ready(request):
    """A provider that does not come to be ready is an error that says so."""
    provider, cancel = Slow(), threading.Event()
    api.set_provider(provider, request.node.name)
    source = OpenFeatureSource(api.get_client(request.node.name))
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(SourceError, match="In-Memory Provider gave no value: PROVIDER_NOT_READY"):
        source.fetch(None, wait=0.0, cancel=cancel)
    provider.go.set()
    source.close()


@pytest.mark.parametrize("trouble", ["fail", "go_stale"])
def test_provider_in_trouble(provider, source, updater, eventually, lines, trouble):
    """What a provider in trouble last said stays, its trouble is told once, and its end too."""
    provider.set(True)
    flag = updater(source)
    assert flag.wait_ready(5)
    eventually(flag.is_on)
    getattr(provider, trouble)()
    eventually(lambda: flag.status().state == "ERROR")
    assert flag.is_on()
    provider.recover()
    eventually(lambda: flag.status().state == "READY")
    # The state is what counts, and comes first; its line follows.
    eventually(lambda: "all is well again" in lines("INFO")[-1])
    assert len(lines("WARNING")) == 1


def test_change_counts_in_trouble(provider, source, updater, eventually):
    """A provider that calls itself stale is believed when its flag changes nonetheless."""
    provider.set(True)
    flag = updater(source)
    eventually(flag.is_on)
    provider.go_stale()
    eventually(lambda: flag.status().state == "ERROR")
    provider.set(False)
    eventually(lambda: not flag.is_on())


def test_first_answer_of_a_stale_provider(provider, source):
    """At the first look a stale flag is better than none; after it, the trouble is told."""
    provider.set(True)
    provider.go_stale()
    assert ask(source).body == b"true"
    with pytest.raises(SourceError, match="stale"):
        ask(source)


def test_provider_set_later(request, updater, eventually):
    """A provider set, or replaced, after the source was made is the one that counts."""
    flag = updater(OpenFeatureSource(api.get_client(request.node.name), every=0.01))
    assert not flag.wait_ready(0.1)
    api.set_provider(PushingProvider(True), request.node.name)
    eventually(flag.is_on)
    api.set_provider(PushingProvider(False), request.node.name)
    eventually(lambda: not flag.is_on())


def test_function_instead_of_a_client(client, provider):
    """A function is called by the first fetch, once."""
    provider.set(True)
    calls = []
    source = OpenFeatureSource(lambda: calls.append(1) or client)
    assert not calls
    assert ask(source).body == ask(source).body == b"true"
    assert len(calls) == 1
    source.close()


def test_function_that_fails(client, provider, updater, eventually):
    """A function that raises, or returns no client, is told in the status and called again."""
    answers = [RuntimeError("no config"), "no client", client]
    provider.set(True)

    def make():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    told = []
    flag = updater(OpenFeatureSource(make, every=NEVER))
    flag.is_on()
    eventually(lambda: told.append(flag.status().last_error) or flag.is_on())
    assert answers == []
    assert flag.status().state == "READY"


def test_dropped_source_is_collected(client, provider):
    """What the SDK keeps to call is not the source: one that was dropped is gone."""
    source = OpenFeatureSource(client)
    ask(source)
    gone = weakref.ref(source)
    del source
    gc.collect()
    assert gone() is None


def test_close_leaves_the_client_alone(client, provider, source):
    """Closing touches neither the provider nor the application's own handlers."""
    told = threading.Event()
    client.add_handler(api.ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, lambda _: told.set())
    ask(source)
    source.close()
    source.close()
    provider.set(True)
    assert told.wait(5)
    assert client.provider is provider
    assert client.get_boolean_value(KEY, False)


def test_handlers_cleared_elsewhere(client, provider, source):
    """Closing works also when the application cleared all handlers."""
    ask(source)
    api.clear_providers()
    source.close()


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (("http://flags",), {}, TypeError, "client must be an OpenFeatureClient"),
        ((None,), {}, TypeError, "client must be an OpenFeatureClient"),
        ((api.get_client(), 5), {}, TypeError, "key must be a str"),
        ((api.get_client(), ""), {}, ValueError, "key must be"),
        ((api.get_client(),), {"context": {"a": 1}}, TypeError, "context must be"),
        ((api.get_client(),), {"every": "1"}, TypeError, "every must be a number"),
        ((api.get_client(),), {"every": True}, TypeError, "every must be a number"),
        ((api.get_client(),), {"every": 0}, ValueError, "every must be"),
        ((api.get_client(),), {"every": float("nan")}, ValueError, "every must be"),
    ],
)
def test_arguments_that_cannot_work(arguments, options, error, words):
    """What cannot work is refused when the source is made, by the argument's name."""
    with pytest.raises(error, match=words):
        OpenFeatureSource(*arguments, **options)


def run(script):
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


FORK = """
import logging, os, sys, time
logging.disable()
from openfeature import api
from pushing_provider import KEY, PushingProvider
from tracedclient.debug import FlagUpdater, OpenFeatureSource

def eventually(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.002)

def in_child(work):
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

def updater(source):
    return FlagUpdater(source, interval=0.01, jitter=lambda: 0.001)
"""


@pytest.mark.parametrize("asked_before", [True, False])
def test_provider_that_came_through_a_fork(asked_before):
    """A child says that its parent's provider may be frozen, until a change shows that it is not."""
    script = f"""
provider = PushingProvider(False)
api.set_provider_and_wait(provider)
flag = updater(OpenFeatureSource(api.get_client(), every=0.01))
if {asked_before}:
    assert flag.wait_ready(10)
def child():
    assert flag.wait_ready(10)
    eventually(lambda: flag.status().state == "ERROR")
    assert "set it in each worker" in flag.status().last_error
    provider.set(True, tell=False)
    eventually(lambda: flag.is_on() and flag.status().state == "READY")
in_child(child)
if {asked_before}:
    assert flag.status().state == "READY"
flag.close()
"""
    assert run(FORK + script) == []


def test_provider_set_in_the_child():
    """A provider that the worker sets is followed, and not suspected."""
    script = """
api.set_provider_and_wait(PushingProvider(False))
flag = updater(OpenFeatureSource(api.get_client(), every=0.01))
assert flag.wait_ready(10)
def child():
    provider = PushingProvider(True)
    api.set_provider(provider)
    flag.is_on()
    eventually(flag.is_on)
    time.sleep(0.05)
    assert flag.status().state == "READY"
    provider.set(False)
    eventually(lambda: not flag.is_on())
in_child(child)
flag.close()
"""
    assert run(FORK + script) == []


@pytest.mark.parametrize("asked_before", [True, False])
def test_function_is_called_in_each_process(asked_before):
    """A function that sets the provider is called anew in a child, which then sees a flip."""
    script = f"""
made = []
def make():
    made.append((os.getpid(), PushingProvider(False)))
    api.set_provider(made[-1][1])
    return api.get_client()
flag = updater(OpenFeatureSource(make, every=0.01))
if {asked_before}:
    assert flag.wait_ready(10)
def child():
    flag.is_on()
    eventually(lambda: made and made[-1][0] == os.getpid())
    made[-1][1].set(True)
    eventually(flag.is_on)
    assert flag.status().state == "READY"
    flag.close()
for _ in range(2):
    in_child(child)
flag.close()
print(len(made))
"""
    assert run(FORK + script) == [str(int(asked_before))]


def test_without_the_extra():
    """Without openfeature-sdk the error says which extra to install; importing needs none."""
    script = """
import sys
sys.modules["openfeature"] = None
from tracedclient.debug import OpenFeatureSource
try:
    OpenFeatureSource(object())
except ImportError as error:
    assert "pip install 'tracedclient[openfeature]'" in str(error), error
    print("refused")
"""
    assert run(script) == ["refused"]


def test_abstract_provider_is_enough(request):
    """Nothing is asked of a provider but the SDK's own interface, and that synchronously."""

    class Least(AbstractProvider):
        def get_metadata(self):
            return api.provider_registry.get_default_provider().get_metadata()

        def _never(self, *_, **__):
            raise AssertionError("not asked for")

        resolve_string_details = resolve_integer_details = resolve_float_details = _never
        resolve_object_details_async = resolve_boolean_details_async = _never

        def resolve_object_details(self, flag_key, default_value, evaluation_context=None):
            return FlagResolutionDetails({"schema": 1})

        def resolve_boolean_details(self, flag_key, default_value, evaluation_context=None):
            return FlagResolutionDetails(True)

    api.set_provider_and_wait(Least(), request.node.name)
    source = OpenFeatureSource(api.get_client(request.node.name))
    assert ask(source).body == b'{"schema":1}'
    source.close()
