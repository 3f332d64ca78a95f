"""Where the shared suite runs: the faithful server, and a live Apollo that variables name.

``TRACEDCLIENT_APOLLO_URL``         a config service, which is a meta server as well
``TRACEDCLIENT_APOLLO_PORTAL``      the portal's address
``TRACEDCLIENT_APOLLO_TOKEN``       of an open platform application that may change and release both
                                    namespaces
``TRACEDCLIENT_APOLLO_APP``         the app that owns them
``TRACEDCLIENT_APOLLO_OPERATOR``    a user of the portal (default ``apollo``)
``TRACEDCLIENT_APOLLO_ENV``         (default ``DEV``)
``TRACEDCLIENT_APOLLO_CLUSTER``     (default ``default``)
``TRACEDCLIENT_APOLLO_NAMESPACE``   of JSON (default ``tracedclient.json``); the suite changes it
``TRACEDCLIENT_APOLLO_PROPERTIES``  of properties (default ``tracedclient``); the suite changes it
``TRACEDCLIENT_APOLLO_ACCESS_KEY``  the app's secret, if it has one
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from sources.apollo_server import Database, Node, Portal
from tracedclient.debug.sources.apollo import ApolloSource
from tracedclient.debug.sources.apollo.openapi import ApolloPublisher

_GIVEN = {
    name[len("TRACEDCLIENT_APOLLO_") :].lower(): value
    for name, value in os.environ.items()
    if name.startswith("TRACEDCLIENT_APOLLO_")
}
KINDS = ["faithful", "live"] if "url" in _GIVEN else ["faithful"]


class Centre(NamedTuple):
    """One Apollo, and what is needed to read and change it."""

    url: str
    portal: str
    token: str
    app: str
    operator: str = "apollo"
    env: str = "DEV"
    cluster: str = "default"
    namespace: str = "tracedclient.json"
    properties: str = "tracedclient"
    access_key: str | None = None

    def source(self, **options):
        """An ``ApolloSource`` of the JSON namespace."""
        options = {"cluster": self.cluster, "namespace": self.namespace, **options}
        options = {"access_key": self.access_key, **options}
        if "meta" not in options:
            options = {"config_service": self.url, **options}
        return ApolloSource(self.app, **options)

    def publisher(self, **options):
        """An ``ApolloPublisher`` to the JSON namespace."""
        place = {"env": self.env, "cluster": self.cluster, "namespace": self.namespace}
        place = {"app_id": self.app, "operator": self.operator, **place, **options}
        return ApolloPublisher(self.portal, self.token, **place)


@contextmanager
def running(kind):
    """The live centre; or a faithful one, which ends with the block."""
    if kind == "live":
        yield Centre(**_GIVEN)
        return
    with ExitStack() as stack:
        database = Database()
        database.secrets["orders"] = ["df23df3f59884980844ff3dada30fa97"]
        node = stack.enter_context(Node(database))
        portal = stack.enter_context(Portal(database, tokens={"t0ken": {"orders"}}))
        for namespace in ("tracedclient.json", "tracedclient"):
            portal.create_namespace("orders", "default", namespace)
        secret = database.secrets["orders"][0]
        yield Centre(node.url, portal.url, "t0ken", "orders", access_key=secret)
