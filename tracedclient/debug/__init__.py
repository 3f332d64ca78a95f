"""Is debug on for this request? A switch in a config centre, which turns itself off again.

source    what every source offers: ``fetch`` → Document, NotModified or Absent
sources/  one file for each place where the flag may be kept
fetching/ HTTP for them: one attempt, bounded, never traced

document  bytes → the closed schema, or a refusal in words
rules     the first that matches a call decides
snapshot  a document → what it means here and now, with its end
target    where a request goes, as rules see it
override  the environment, the code or a signal wins over the source, for a while
signals   the signal
known     one consistent view of the flag
state     the outcome of each fetch → the decision in force
status    how that stands, for a health page
journal   who switched it, why, until when; and each problem once
registry  the updaters of this process, for forks and signals
poller    what the thread does: fetch, pause, back off
unasked   a flag that is off in the code, until somebody asks for it
updater   the one object a client asks; owns the thread, follows forks

Sources fetch; one updater owns the thread, the retries, the last good value and the status. A
source of your own is a subclass of ``FlagSource`` with a ``name`` and a ``fetch``.

Each name is loaded when it is first asked for: a service has one source, and need not start with all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracedclient.debug.document import FlagDocument, InvalidDocument, Rule
    from tracedclient.debug.signals import override_on_signal
    from tracedclient.debug.source import FlagSource, SourceError
    from tracedclient.debug.sources.apollo import ApolloSource
    from tracedclient.debug.sources.consul import ConsulSource
    from tracedclient.debug.sources.env import EnvSource
    from tracedclient.debug.sources.etcd import EtcdSource
    from tracedclient.debug.sources.file import FileSource
    from tracedclient.debug.sources.http import HTTPSource
    from tracedclient.debug.sources.openfeature import OpenFeatureSource
    from tracedclient.debug.sources.static import StaticFlag
    from tracedclient.debug.sources.zookeeper import ZooKeeperSource
    from tracedclient.debug.status import FlagStatus
    from tracedclient.debug.updater import FlagUpdater
    from tracedclient.trace.decision import Decision

__all__ = [
    "ApolloSource",
    "ConsulSource",
    "Decision",
    "EnvSource",
    "EtcdSource",
    "FileSource",
    "FlagDocument",
    "FlagSource",
    "FlagStatus",
    "FlagUpdater",
    "HTTPSource",
    "InvalidDocument",
    "OpenFeatureSource",
    "Rule",
    "SourceError",
    "StaticFlag",
    "ZooKeeperSource",
    "override_on_signal",
]

_HOME = {
    "ApolloSource": "tracedclient.debug.sources.apollo",
    "ConsulSource": "tracedclient.debug.sources.consul",
    "Decision": "tracedclient.trace.decision",
    "EnvSource": "tracedclient.debug.sources.env",
    "EtcdSource": "tracedclient.debug.sources.etcd",
    "FileSource": "tracedclient.debug.sources.file",
    "FlagDocument": "tracedclient.debug.document",
    "FlagSource": "tracedclient.debug.source",
    "FlagStatus": "tracedclient.debug.status",
    "FlagUpdater": "tracedclient.debug.updater",
    "HTTPSource": "tracedclient.debug.sources.http",
    "InvalidDocument": "tracedclient.debug.document",
    "OpenFeatureSource": "tracedclient.debug.sources.openfeature",
    "Rule": "tracedclient.debug.document",
    "SourceError": "tracedclient.debug.source",
    "StaticFlag": "tracedclient.debug.sources.static",
    "ZooKeeperSource": "tracedclient.debug.sources.zookeeper",
    "override_on_signal": "tracedclient.debug.signals",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    thing = globals()[name] = getattr(import_module(_HOME[name]), name)
    return thing


def __dir__() -> list[str]:
    own = (name for name in globals() if name.startswith("__"))
    return sorted({*own, *__all__})
