"""The real servers the tests talk to. All of them listen on loopback only."""

from servers.addresses import black_hole, hanging_server, refused_port
from servers.certificates import (
    client_pem,
    expired_context,
    mutual_context,
    server_context,
)
from servers.client import ask, connect, read_to_end
from servers.messages import Answer, Headers, Request
from servers.peer import Peer
from servers.proxy import forward_proxy
from servers.resolver import Resolver
from servers.scripted import ScriptedServer
from servers.web import echo, serve

__all__ = [
    "Answer",
    "Headers",
    "Peer",
    "Request",
    "Resolver",
    "ScriptedServer",
    "ask",
    "black_hole",
    "client_pem",
    "connect",
    "echo",
    "expired_context",
    "forward_proxy",
    "hanging_server",
    "mutual_context",
    "read_to_end",
    "refused_port",
    "serve",
    "server_context",
]
