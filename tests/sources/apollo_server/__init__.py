"""A faithful Apollo: config services, meta server and portal over one database, on loopback.

It keeps to what the servers of Apollo 2.5 do, down to what a client does not wish for: a poll for
an unknown namespace is held, a caching node answers with old news, an error has no message.

web       a threaded HTTP server that keeps the request's bytes as they came
database  releases, messages, gray rules, access keys: what the nodes share
notices   long polls and what wakes them
node      one config service, also a meta server
portal    the open API, by which a script publishes
"""

from sources.apollo_server.database import Database
from sources.apollo_server.node import Node
from sources.apollo_server.portal import Portal

__all__ = ["Database", "Node", "Portal"]
