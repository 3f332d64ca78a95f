"""``Portal``: the part of Apollo's open API by which a script reads, changes and releases."""

from __future__ import annotations

import json

from sources.apollo_server.web import Reply, WebServer, error_reply, json_reply

MAX_VALUE = 20_000


class Portal(WebServer):
    """Drafts of items, and their release into ``database``.

    ``tokens`` maps a token to the apps it may change; ``users`` are those who may be named as
    operator. ``gateway_faults`` is a list of statuses given to the next requests.
    """

    def __init__(self, database, *, tokens, users=("apollo",), env="DEV"):
        super().__init__()
        self.database = database
        self.tokens = tokens
        self.users = set(users)
        self.env = env
        self.items: dict[tuple[str, str, str], dict[str, str]] = {}
        self.titles: list[str] = []
        """Of the releases made here."""
        self.faults: list[int] = []

    def create_namespace(self, app, cluster, namespace):
        """What a person does once in the portal. A namespace that is not there takes no item."""
        self.items[app, cluster, namespace] = {}
        self.database.create_namespace(app, namespace)

    def answer(self, request):
        if self.faults:
            return Reply(self.faults.pop(0), b"<html>an error page</html>", "text/html")
        apps = self.tokens.get(request.headers.get("authorization"))
        if apps is None:
            return error_reply(request, 401)
        segments = request.segments
        if segments[:3] != ["openapi", "v1", "envs"] or len(segments) < 10:
            return error_reply(request, 404)
        env, app, cluster, namespace = segments[3::2][:4]
        place = (app, cluster, namespace)
        if request.method != "GET" and app not in apps:
            return _failure(403, "Access is denied")
        if env != self.env or place not in self.items:
            return _failure(404, f"namespace not found for {place} in {env}")
        return self._act(request, place, segments[10:])

    def _act(self, request, place, rest):
        if (request.method, rest) == ("GET", []):
            return self._namespace(place)
        if (request.method, rest) == ("GET", ["releases", "latest"]):
            return self._latest(place)
        if (request.method, rest) == ("POST", ["releases"]):
            return self._release(place, json.loads(request.body))
        if request.method == "PUT" and rest[:1] == ["items"]:
            return self._put(request, place, rest[1])
        if request.method == "DELETE" and rest[:1] == ["items"]:
            return self._delete(request, place, rest[1])
        return error_reply(request, 404)

    def _namespace(self, place):
        items = [{"key": key, "value": value} for key, value in self.items[place].items()]
        return json_reply({"appId": place[0], "namespaceName": place[2], "items": items})

    def _latest(self, place):
        release = self.database.latest(*place)
        if release is None:
            return Reply(200)
        return json_reply({"name": release.key, "configurations": release.configurations})

    def _put(self, request, place, key):
        item = json.loads(request.body)
        if item.get("key") != key:
            return _failure(400, "Key in path and payload is not consistent")
        if item.get("dataChangeLastModifiedBy") not in self.users:
            return _failure(400, f"user not exists: {item.get('dataChangeLastModifiedBy')}")
        if len(item["value"]) > MAX_VALUE:
            return _failure(400, f"value too long. length limit: {MAX_VALUE}")
        if key not in self.items[place]:
            if request.query("createIfNotExists") != "true":
                return _failure(404, f"item not found for {key}")
            if not item.get("dataChangeCreatedBy"):
                return _failure(400, "dataChangeCreatedBy is required")
        self.items[place][key] = item["value"]
        return Reply(200)

    def _delete(self, request, place, key):
        if request.query("operator") not in self.users:
            return _failure(400, f"user not exists: {request.query('operator')}")
        if key not in self.items[place]:
            return _failure(404, f"item not found for {key}")
        del self.items[place][key]
        return Reply(200)

    def _release(self, place, model):
        if not model.get("releaseTitle") or model.get("releasedBy") not in self.users:
            return _failure(400, "Params(releaseTitle and releasedBy) can not be empty")
        self.titles.append(model["releaseTitle"])
        named = {key: value for key, value in self.items[place].items() if key}
        release = self.database.publish(*place, named)
        return json_reply({"name": model["releaseTitle"], "configurations": release.configurations})


def _failure(status, message):
    fields = {"status": status, "message": message, "exception": "…ApolloHttpException"}
    return json_reply(fields, status)
