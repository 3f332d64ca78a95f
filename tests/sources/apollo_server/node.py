"""``Node``: one config service of Apollo, which is a meta server as well."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import suppress

from sources.apollo_server.notices import Notices
from sources.apollo_server.web import Reply, WebServer, error_reply, json_reply

TOLERANCE_S = 60


class Node(WebServer):
    """A config service over ``database``.

    context           a path before all others, as of a reverse proxy that does not rewrite
    hold              seconds for which a long poll is held, then 304
    cut               seconds after which a load balancer cuts a poll; ``cut_with`` is the status
                      it gives, ``None`` for none
    caching           keep releases in memory, as ``config-service.cache.enabled`` does
    incremental       answer a known release key with what changed
    messages_shown    name the reason of an error, as servers before Spring Boot 2.3 did
    """

    def __init__(
        self,
        database,
        *,
        context="",
        hold=60.0,
        cut=None,
        cut_with=504,
        caching=False,
        incremental=False,
        messages_shown=False,
        batch=100,
        clock_offset=0.0,
    ):
        super().__init__(clock_offset=clock_offset)
        self.database = database
        self.context = context
        self.hold = hold
        self.cut = cut
        self.cut_with = cut_with
        self.incremental = incremental
        self.messages_shown = messages_shown
        self.notices = Notices(batch=batch)
        self.lagging = False
        """Has not yet scanned the last messages: neither polls nor its cache know of them."""
        self.faults: list[tuple[str, Reply | None]] = []
        """Each is given once, to the next request whose path contains its first part."""
        self.instances: list[str] | None = None
        """Addresses the meta server tells; its own when ``None``."""
        self._seen: dict[str, int] = {}
        self._cache: dict[tuple, tuple[int, object]] | None = {} if caching else None
        database.nodes.append(self)

    @property
    def url(self):
        return super().url + self.context

    def start(self):
        self._seen = dict(self.database.messages)
        return super().start()

    def interrupt(self):
        self.notices.interrupt()

    def scan(self):
        """Find the release messages that are new, wake their polls, refresh the cache."""
        new = {c: n for c, n in self.database.messages.items() if n > self._seen.get(c, 0)}
        self._seen.update(new)
        for content, number in new.items():
            if self._cache is not None:
                self._cache.pop(tuple(content.split("+")), None)
            self.notices.wake(content, number, self.stopping)

    def polls(self, count=1, seconds=10.0):
        """Wait until that many polls are held."""
        assert self.notices.wait_until(count, seconds), f"never {count} polls at {self.url}"

    def fail_next(self, part, status, *, times=1):
        """Give ``status`` to the next requests whose path contains ``part``; 0 hangs up."""
        page = b"<html>an error page</html>"
        reply = Reply(status, page, "text/html") if status else None
        self.faults += [(part, reply)] * times

    def answer(self, request):
        for fault in self.faults:
            if fault[0] in request.raw_path:
                self.faults.remove(fault)
                return fault[1]
        if not request.raw_path.startswith(self.context + "/"):
            return Reply(404, b"<html>no such context</html>", "text/html")
        return self._route(request, request.segments[self.context.count("/") :])

    def _route(self, request, segments):
        if segments[:2] == ["services", "config"]:
            return self._services()
        app = request.query("appId") if segments[0] == "notifications" else _app_of(segments)
        refused = self._authenticate(request, app)
        if refused is not None:
            return refused
        if segments[0] == "configs" and len(segments) == 4:
            return self._configs(request, *segments[1:])
        if segments[0] == "configfiles":
            return self._config_file(request, segments[1:])
        if segments == ["notifications", "v2"]:
            return self._notifications(request, app)
        return error_reply(request, 404)

    def _services(self):
        urls = [self.url] if self.instances is None else self.instances
        name = "APOLLO-CONFIGSERVICE"
        return json_reply(
            [{"appName": name, "instanceId": f"{name}:{u}", "homepageUrl": f"{u}/"} for u in urls]
        )

    def _error(self, request, status, message):
        return error_reply(request, status, message if self.messages_shown else None)

    # Access keys

    def _authenticate(self, request, app):
        if not app:
            return self._error(request, 400, "InvalidAppId")
        secrets = self.database.secrets.get(app)
        if not secrets:
            return None
        timestamp = request.headers.get("timestamp", "0")
        sent = int(timestamp) if timestamp.lstrip("-").isdigit() else 0
        if abs(self.now() * 1000 - sent) >= TOLERANCE_S * 1000:
            return self._error(request, 401, "RequestTimeTooSkewed")
        signature = request.headers.get("authorization", "").split(":")[1:2]
        if signature and signature[0] in (sign(s, timestamp, request.target) for s in secrets):
            return None
        return self._error(request, 401, "Unauthorized")

    # Reading

    def _configs(self, request, app, cluster, spelled):
        namespace = self.database.normalised(app, spelled)
        releases = self._find_releases(request, app, cluster, namespace)
        if not releases:
            return self._error(request, 404, f"Could not load {app} {cluster} {spelled}")
        key = "+".join(release.key for release in releases)
        self.database.fetched.append((_client_ip(request), key))
        if key == request.query("releaseKey"):
            return Reply(304)
        latest = merged(releases)
        head = {"appId": app, "cluster": releases[0].cluster, "namespaceName": spelled}
        changes = self._changes(request, latest)
        if changes is None:
            return json_reply({**head, "configurations": latest, "releaseKey": key})
        return json_reply(
            {
                **head,
                "releaseKey": key,
                "configSyncType": "IncrementalSync",
                "configurationChanges": changes,
            }
        )

    def _changes(self, request, latest):
        known = (request.query("releaseKey") or "").split("+") if self.incremental else []
        before = merged([r for r in map(self.database.by_key, known) if r is not None])
        return differences(before, latest) if before else None

    def _find_releases(self, request, app, cluster, namespace):
        releases = [self._load(request, app, cluster, namespace)]
        owner = self.database.public_owner(namespace)
        if not self.database.belongs(app, namespace) and owner and owner[0] != app:
            releases.append(self._load(request, owner[0], cluster, namespace))
        return [release for release in releases if release is not None]

    def _load(self, request, app, cluster, namespace):
        ip, label = _client_ip(request), request.query("label")
        for name in clusters(cluster, request.query("dataCenter")):
            place = (app, name, namespace)
            release = self.database.gray_release(place, ip, label) or self._latest(request, place)
            if release is not None:
                return release
        return None

    def _latest(self, request, place):
        if self._cache is None:
            return self.database.latest(*place)
        number, release = self._cache.get(place) or self._load_from_database(place)
        if _messages(request).get("+".join(place), -1) > number:
            number, release = self._load_from_database(place)
        self._cache[place] = (number, release)
        return release

    def _load_from_database(self, place):
        return self.database.messages.get("+".join(place), -1), self.database.latest(*place)

    def _config_file(self, request, segments):
        kind = segments[0] if segments[0] in {"json", "raw"} else "properties"
        app, cluster, spelled = segments[-3:]
        namespace = self.database.normalised(app, spelled)
        releases = self._find_releases(request, app, cluster, namespace)
        if not releases:
            return self._error(request, 404, "not found")
        latest = merged(releases)
        if kind == "json":
            return json_reply(latest)
        lines = "".join(f"{key}={value}\n" for key, value in latest.items())
        text = latest.get("content", "") if kind == "raw" else lines
        return Reply(200, text.encode(), "text/plain;charset=UTF-8")

    # Long polls

    def _notifications(self, request, app):
        asked = None
        with suppress(ValueError, TypeError, KeyError):
            asked = [
                (n["namespaceName"], n["notificationId"])
                for n in json.loads(request.query("notifications"))
            ]
        if not asked:
            return json_reply({"status": 400, "message": "Invalid format of notifications"}, 400)
        spelled = {self.database.normalised(app, name): name for name, _ in asked}
        known = {self.database.normalised(app, name): number for name, number in asked}
        keys = {namespace: self._watch_keys(app, request, namespace) for namespace in known}
        poll = self.notices.register({key for each in keys.values() for key in each})
        try:
            news = self._news(keys, known) or self._held(poll)
        finally:
            self.notices.unregister(poll)
        if not isinstance(news, list):
            return news
        return json_reply([_in_spelling(each, spelled) for each in news])

    def _watch_keys(self, app, request, namespace):
        names = clusters(request.query("cluster"), request.query("dataCenter"))
        apps = [app]
        owner = self.database.public_owner(namespace)
        if owner and not self.database.belongs(app, namespace):
            apps.append(owner[0])
        return [f"{each}+{name}+{namespace}" for each in apps for name in names]

    def _news(self, keys, known):
        news = []
        for namespace, watched in keys.items():
            details = {key: self._seen[key] for key in watched if key in self._seen}
            if details and max(details.values()) > known[namespace]:
                news.append(_notification(namespace, max(details.values()), details))
        return news

    def _held(self, poll):
        """What ends the hold: a list of notifications, a reply, or ``None`` to hang up."""
        is_cut = self.cut is not None and self.cut < self.hold
        settled = poll.wait(self.cut if is_cut else self.hold)
        if settled is not None:
            content, number = settled
            return [_notification(content.split("+")[2], number, {content: number})]
        if not is_cut:
            return Reply(304)
        if self.cut_with is None:
            return None
        return Reply(self.cut_with, b"<html>Gateway Time-out</html>", "text/html")


def clusters(cluster, data_center):
    """In the order in which they are searched."""
    return list(dict.fromkeys(name for name in (cluster, data_center, "default") if name))


def merged(releases):
    """The first release wins over those after it."""
    return {k: v for release in reversed(releases) for k, v in release.configurations.items()}


def differences(before, after):
    added = [_change(k, after[k], "ADDED") for k in after if k not in before]
    deleted = [_change(k, None, "DELETED") for k in before if k not in after]
    both = [k for k in after if k in before and after[k] != before[k]]
    return added + deleted + [_change(k, after[k], "MODIFIED") for k in both]


def _change(key, value, kind):
    change = {"key": key, "newValue": value, "configurationChangeType": kind}
    return {name: each for name, each in change.items() if each is not None}


def sign(secret, timestamp, target):
    digest = hmac.digest(secret.encode(), f"{timestamp}\n{target}".encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def _app_of(segments):
    return segments[-3] if len(segments) >= 4 else None


def _client_ip(request):
    forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
    return request.query("ip") or forwarded or request.client_ip


def _messages(request):
    with suppress(ValueError, TypeError, AttributeError):
        return json.loads(request.query("messages")).get("details", {})
    return {}


def _notification(namespace, number, details):
    return {
        "namespaceName": namespace,
        "notificationId": number,
        "messages": {"details": details},
    }


def _in_spelling(notification, spelled):
    """The client's own spelling, without ``.properties``."""
    name = notification["namespaceName"]
    name = spelled.get(name, name)
    if name.lower().endswith(".properties"):
        name = name[: -len(".properties")]
    return {**notification, "namespaceName": name}
