"""Is debug on for this request? A switch in a config centre, which turns itself off again.

source    what every source offers: ``fetch`` → Document, NotModified or Absent
static    decided in the code
env       an environment variable
file      a file, a Kubernetes ConfigMap
http      a URL
apollo    Apollo
zookeeper, zookeeper_client      a node of ZooKeeper (extra); kazoo, tamed
openfeature, openfeature_flag    a flag of any OpenFeature provider (extra); one evaluation
etcd      a key of etcd; etcd_gateway: its JSON, etcd_publisher: the operator's hand
consul    an entry of Consul's KV store
web       HTTP for sources: one attempt, bounded, never traced
bell      a fetch that waits until another's thread says that there is news

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

from tracedclient.debug.apollo import ApolloSource
from tracedclient.debug.consul import ConsulSource
from tracedclient.debug.document import FlagDocument, InvalidDocument, Rule
from tracedclient.debug.env import EnvSource
from tracedclient.debug.etcd import EtcdSource
from tracedclient.debug.file import FileSource
from tracedclient.debug.http import HTTPSource
from tracedclient.debug.openfeature import OpenFeatureSource
from tracedclient.debug.signals import override_on_signal
from tracedclient.debug.source import FlagSource, SourceError
from tracedclient.debug.static import StaticFlag
from tracedclient.debug.status import FlagStatus
from tracedclient.debug.updater import FlagUpdater
from tracedclient.debug.zookeeper import ZooKeeperSource
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
