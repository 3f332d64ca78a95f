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
updater   the one object a client asks; owns the thread, follows forks

Sources fetch; one updater owns the thread, the retries, the last good value and the status. A
source of your own is a subclass of ``FlagSource`` with a ``name`` and a ``fetch``.
"""

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
