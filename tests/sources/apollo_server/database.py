"""What all config services share, and the portal writes: Apollo's two databases in memory."""

from __future__ import annotations

import itertools
import threading
from typing import NamedTuple


class Release(NamedTuple):
    id: int
    key: str
    app: str
    cluster: str
    namespace: str
    configurations: dict[str, str]
    gray: bool


class GrayRule(NamedTuple):
    place: tuple[str, str, str]
    ips: frozenset[str]
    labels: frozenset[str]
    release: int

    def matches(self, ip, label):
        return bool({ip, "*"} & self.ips) or bool(label and {label, "*"} & self.labels)


class Database:
    """Apps, namespaces, releases, release messages, gray rules and access keys."""

    def __init__(self):
        self.lock = threading.RLock()
        self.nodes = []
        self.releases: list[Release] = []
        self.messages: dict[str, int] = {}
        """Per ``app+cluster+namespace``, the id of its last message: the notification id."""
        self.gray_rules: list[GrayRule] = []
        self.secrets: dict[str, list[str]] = {}
        self.observed: dict[str, list[str]] = {}
        """Access keys in the mode that only logs."""
        self.fetched: list[tuple[str, str]] = []
        """ip and release key of every read: the portal's list of instances."""
        self._namespaces: dict[tuple[str, str], str] = {}
        self._public: dict[str, tuple[str, str]] = {}
        self._release_ids = itertools.count(1)
        self._message_ids = itertools.count(1)

    def create_namespace(self, app, namespace, *, public=False):
        self._namespaces[app, namespace.lower()] = namespace
        if public:
            self._public[namespace.lower()] = (app, namespace)

    def belongs(self, app, namespace):
        return namespace == "application" or (app, namespace.lower()) in self._namespaces

    def public_owner(self, namespace):
        """``(app, namespace)`` of the public namespace of that name, or ``None``."""
        return self._public.get(namespace.lower())

    def normalised(self, app, namespace):
        """The name without ``.properties``, in the case in which it was created."""
        if namespace.lower().endswith(".properties"):
            namespace = namespace[: -len(".properties")]
        own = self._namespaces.get((app, namespace.lower()))
        public = self._public.get(namespace.lower())
        return own or (public[1] if public else namespace)

    def publish(self, app, cluster, namespace, configurations):
        """Release, and notify. Returns the release."""
        self.create_namespace(
            app, namespace, public=self.public_owner(namespace) == (app, namespace)
        )
        release = self._release(app, cluster, namespace, configurations, gray=False)
        self.notify(app, cluster, namespace)
        return release

    def publish_gray(self, app, cluster, namespace, configurations, *, ips=(), labels=()):
        """Release to those of ``ips`` and ``labels`` only."""
        release = self._release(app, cluster, namespace, configurations, gray=True)
        place = (app, cluster, namespace)
        self.gray_rules.append(GrayRule(place, frozenset(ips), frozenset(labels), release.id))
        self.notify(app, cluster, namespace)
        return release

    def end_gray(self):
        """Give up every gray release."""
        rules, self.gray_rules = self.gray_rules, []
        for rule in rules:
            self.notify(*rule.place)

    def roll_back(self, app, cluster, namespace):
        """Abandon the last release: the one before is active again."""
        last = self.latest(app, cluster, namespace)
        self.releases.remove(last)
        self.notify(app, cluster, namespace)

    def _release(self, app, cluster, namespace, configurations, *, gray):
        number = next(self._release_ids)
        key = f"20261121{number:06d}-{number * 2654435761 % 2**64:016x}"
        release = Release(number, key, app, cluster, namespace, dict(configurations), gray)
        self.releases.append(release)
        return release

    def notify(self, app, cluster, namespace):
        """Write a release message; every node that is not lagging finds it."""
        with self.lock:
            content, number = f"{app}+{cluster}+{namespace}", next(self._message_ids)
            self.messages[content] = number
        for node in list(self.nodes):
            if not node.lagging:
                node.scan()

    def restore_messages(self):
        """As after a restore of the database: the ids begin again, below those known."""
        self.messages.clear()
        self._message_ids = itertools.count(1)

    def latest(self, app, cluster, namespace):
        place = (app, cluster, namespace)
        found = [r for r in self.releases if r[2:5] == place and not r.gray]
        return found[-1] if found else None

    def gray_release(self, place, ip, label):
        rules = [r for r in self.gray_rules if r.place == place and r.matches(ip, label)]
        return self.by_id(rules[-1].release) if rules else None

    def by_id(self, number):
        return next((r for r in self.releases if r.id == number), None)

    def by_key(self, key):
        return next((r for r in self.releases if r.key == key), None)
