"""Is debug on for this request? A switch in a config centre, which turns itself off again.

source    what every source offers: ``fetch`` → Document, NotModified or Absent
static    decided in the code
env       an environment variable
file      a file, a Kubernetes ConfigMap
document  bytes → a decision with an end; the closed schema
state     the outcome of each fetch → the decision in force
target    where a request goes, as rules see it
status    how that stands, for a health page
journal   who switched it, why, until when; and each problem once
poller    what the thread does: fetch, pause, back off
updater   the one object a client asks; owns the thread, follows forks

Sources fetch; one updater owns the thread, the retries, the last good value and the status. A
source of your own is a subclass of ``FlagSource`` with a ``name`` and a ``fetch``.
"""

from tracedclient.debug.document import FlagDocument, InvalidDocument
from tracedclient.debug.env import EnvSource
from tracedclient.debug.file import FileSource
from tracedclient.debug.source import FlagSource, SourceError
from tracedclient.debug.static import StaticFlag
from tracedclient.debug.status import FlagStatus
from tracedclient.debug.updater import FlagUpdater
from tracedclient.trace.decision import Decision

__all__ = [
    "Decision",
    "EnvSource",
    "FileSource",
    "FlagDocument",
    "FlagSource",
    "FlagStatus",
    "FlagUpdater",
    "InvalidDocument",
    "SourceError",
    "StaticFlag",
]
