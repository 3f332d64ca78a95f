"""The only room that knows requests' adapters, urllib3, http.client and sockets.

A request passes through these files in this order, each telling the ``ClientTrace`` in force:

session      a ``requests.Session``; redirects
prepared     a usual request made ready without detours
environment  proxies and CA bundle of the process, looked up once
proxies      those that a client is given, checked; those of SOCKS are an extra
adapter      one exchange: which pool, with which TLS context (known: those there are)
plain        requests' words for an exchange that has nothing unusual about it
exchange     such a one, straight on the socket (head: its bytes; begun: what is handed on when it
             turns out to be unusual; shipped: whether somebody wants to see it; headers: requests' dict)
pool         which connection; binds the trace to it
connection   opening it, CONNECT, TLS, writing the request
dial         the lookup of the name, the addresses raced (race, candidate)
addresses    which of them a connection may go to
tls          one ``SSLContext`` per setting; what a handshake agreed on
tunnel       a proxy's answer to CONNECT
writing      what of a request is held back, and counted
response     1xx, the head, the body's end (reading: from the socket)
answer       what the caller gets (streamed: its body in chunks)
redirects    what a redirect may take along
on_demand    kernel (TCP_INFO, times of arrival) and unresolved (resolver): for a trace only
fork         a child process gets pools of its own
discreet     what requests and urllib3 may say of it
failure      what is known about the wire when any of it failed
"""

from tracedclient.transport.adapter import TracedAdapter
from tracedclient.transport.addresses import AddressPolicy
from tracedclient.transport.answer import TracedResponse
from tracedclient.transport.dial import Dialing
from tracedclient.transport.environment import Environment
from tracedclient.transport.failure import WireFacts, wire_facts
from tracedclient.transport.fork import forget_after_fork
from tracedclient.transport.headers import has, has_any, put, value_of
from tracedclient.transport.prepared import are_plain, is_prepared_plainly
from tracedclient.transport.redirects import RedirectPolicy, RedirectRefused, carry_on, copied
from tracedclient.transport.session import TracedSession

__all__ = [
    "AddressPolicy",
    "Dialing",
    "Environment",
    "RedirectPolicy",
    "RedirectRefused",
    "TracedAdapter",
    "TracedResponse",
    "TracedSession",
    "WireFacts",
    "are_plain",
    "carry_on",
    "copied",
    "forget_after_fork",
    "has",
    "has_any",
    "is_prepared_plainly",
    "put",
    "value_of",
    "wire_facts",
]
