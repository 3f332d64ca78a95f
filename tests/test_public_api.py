"""The public face: what there is, and that importing it changes nothing."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import tracedclient

PACKAGE = Path(tracedclient.__file__).parent


def run(script, *arguments):
    """The standard output of ``script`` in a fresh interpreter where each warning is an error."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=PACKAGE.parent,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_public_names():
    """The front door has exactly these names."""
    assert tracedclient.__all__ == [
        "AddressPolicy",
        "AddressRefused",
        "CircuitBreaker",
        "CircuitOpen",
        "ClientClosed",
        "DeadlineExceeded",
        "FlightRecorder",
        "HTTPClient",
        "JsonLogSink",
        "Propagation",
        "RedirectPolicy",
        "RedirectRefused",
        "ResponseTooLarge",
        "RetryBudget",
        "RetryPolicy",
        "Sink",
        "Timeout",
        "TraceResult",
        "TracedAdapter",
        "TracedResponse",
        "TracedSession",
        "UnusableTLSFile",
        "__version__",
        "logging_config",
        "stat",
    ]


@pytest.mark.parametrize("name", [n for n in tracedclient.__all__ if n != "__version__"])
def test_public_name_is_documented(name):
    """Each public name is there, comes from this package, and has a docstring of its own."""
    thing = getattr(tracedclient, name)
    assert thing.__module__.startswith("tracedclient.")
    assert thing.__doc__
    # What dataclasses and Protocol make up starts with the name and its arguments.
    assert not thing.__doc__.startswith(f"{name}(")


@pytest.mark.parametrize("name", [n for n in tracedclient.__all__ if n != "__version__"])
def test_public_methods_are_documented(name):
    """Each public method and property of a public class has a docstring, its own or inherited."""
    thing = getattr(tracedclient, name)
    if not inspect.isclass(thing):
        return
    bare = [
        attribute
        for attribute, value in vars(thing).items()
        if not attribute.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property))
        and not inspect.getdoc(getattr(thing, attribute))
    ]
    assert bare == []


ROOMS = ("", ".debug", ".httptrace", ".inbound", ".instruments", ".retry", ".sinks", ".testing")


def records(room):
    """The public classes of a room that have fields."""
    names = getattr(importlib.import_module(f"tracedclient{room}"), "__all__", ())
    things = [getattr(sys.modules[f"tracedclient{room}"], name) for name in names]
    of_fields = ("_fields", "__struct_fields__", "__dataclass_fields__")
    return [it for it in things if isinstance(it, type) and any(hasattr(it, a) for a in of_fields)]


@pytest.mark.parametrize("room", ROOMS)
def test_types_of_fields_can_be_asked_for(room):
    """``typing.get_type_hints`` has the type of every field of a public record."""
    for record in records(room):
        assert set(typing.get_type_hints(record)) >= set(inspect.signature(record).parameters)
    assert records(room) or room == ".inbound"


def test_star_import_gives_the_public_names():
    """``from tracedclient import *`` gives these names and no other."""
    namespace = {}
    exec("from tracedclient import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(tracedclient.__all__)


CHANGES_NOTHING = """
import logging, os, signal, socket, sys, threading, warnings
import msgspec, requests, tenacity, urllib3, urllib3.poolmanager

def state():
    loggers = {
        name: (logger.level, tuple(logger.handlers), logger.propagate, logger.disabled)
        for name, logger in logging.Logger.manager.loggerDict.items()
        if isinstance(logger, logging.Logger) and not name.startswith("tracedclient")
    }
    return {
        "threads": threading.active_count(),
        "descriptors": sorted(os.listdir("/proc/self/fd"))[:-1],
        "root": (logging.root.level, tuple(logging.root.handlers), logging.root.filters[:]),
        "loggers": {name: loggers[name] for name in before_loggers if name in loggers},
        "logging": (
            logging.getLoggerClass(), logging.getLogRecordFactory(), logging.lastResort,
            logging.raiseExceptions, logging.root.manager.disable, len(logging._handlerList),
        ),
        "pools": dict(urllib3.poolmanager.pool_classes_by_scheme),
        "connections": [
            vars(pool)["ConnectionCls"]
            for pool in (urllib3.HTTPConnectionPool, urllib3.HTTPSConnectionPool)
        ],
        "adapters": {
            scheme: type(adapter) for scheme, adapter in requests.Session().adapters.items()
        },
        "socket": (socket.getdefaulttimeout(), socket.socket, socket.getaddrinfo, socket.create_connection),
        "warnings": warnings.filters[:],
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "environment": dict(os.environ),
    }

before_loggers = set(logging.Logger.manager.loggerDict)
before = state()
done = []

def audit(event, arguments):
    if event in ("socket.__new__", "_thread.start_new_thread", "subprocess.Popen"):
        done.append(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        done.append(arguments)
    if event == "open" and str(arguments[0]).endswith((".pem", ".json", ".cfg", ".toml")):
        done.append(arguments)

sys.addaudithook(audit)
# Every name and what it needs, not the front door alone.
from tracedclient import *
after = state()
assert done == [], done
changed = [name for name in before if before[name] != after[name]]
assert changed == [], {name: (before[name], after[name]) for name in changed}
for name in ("tracedclient", "tracedclient.trace"):
    logger = logging.getLogger(name)
    assert logger.level == logging.NOTSET and logger.propagate, name
    assert all(isinstance(handler, logging.NullHandler) for handler in logger.handlers), name
print("structlog" in sys.modules, "pythonjsonlogger" in sys.modules, "trustme" in sys.modules)
"""


def test_import_changes_nothing():
    """Importing opens no thread, socket or file, and leaves logging, urllib3 and all else alone;
    what only a trace needs is not loaded."""
    assert run(CHANGES_NOTHING).split() == ["False", "False", "False"]


LAZY = """
import sys
import tracedclient
print([name for name in ("requests", "urllib3", "msgspec", "structlog") if name in sys.modules])
assert set(tracedclient.__all__) <= set(dir(tracedclient))
tracedclient.debug.FileSource, tracedclient.inbound.trace_context, tracedclient.httptrace.ClientTrace
tracedclient.debugging.dump, tracedclient.errors.DeadlineExceeded
try:
    tracedclient.no_such_name
except AttributeError as error:
    print(error)
"""


def test_a_name_is_loaded_when_it_is_asked_for():
    """Importing the package loads no other; its names and its public modules are there all the same,
    and any other name is an AttributeError that says so."""
    assert run(LAZY).splitlines() == [
        "[]",
        "module 'tracedclient' has no attribute 'no_such_name'",
    ]


@pytest.mark.parametrize("name", ["HTTPClient", "RetryPolicy", "TraceResult", "Timeout", "stat"])
def test_public_names_can_be_pickled(name):
    """What multiprocessing sends by reference arrives as the same thing."""
    import pickle

    thing = getattr(tracedclient, name)
    assert pickle.loads(pickle.dumps(thing)) is thing


# Forked from one interpreter that has loaded all that is not ours: as fresh, and fast.
IMPORTS_ALONE = """
import importlib, os, sys, traceback
import hypothesis, msgspec, pythonjsonlogger.msgspec, requests, structlog, tenacity, urllib3
assert not [name for name in sys.modules if name.partition(".")[0] == "tracedclient"]
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            if isinstance(error, ImportError) and "pip install 'tracedclient[" in str(error):
                os._exit(0)  # of an extra that is not installed
            print("cannot import", name, flush=True)
            traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
    print(name, flush=True)
"""


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_module_imports_alone():
    """Each module can be the first one that is imported, without a warning."""
    names = list(modules())
    assert len(names) > 40
    assert run(IMPORTS_ALONE, *names).splitlines() == names


def test_package_is_typed():
    """The package says to type checkers that it is typed."""
    assert (PACKAGE / "py.typed").is_file()
