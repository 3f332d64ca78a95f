"""The connections: urllib3's, which also tell a ``ClientTrace`` what they do.

Each module is a layer on the one before: ``state``, ``observed``, ``kept``, ``opening``, ``sending``,
``traced``, and ``secure`` for TLS. The classes at the top bear urllib3's names, because those names
appear in error texts that people search for.
"""

from tracedclient.transport.connection.secure import HTTPSConnection
from tracedclient.transport.connection.state import MAX_IDLE
from tracedclient.transport.connection.traced import HTTPConnection, Traced

__all__ = ["MAX_IDLE", "HTTPConnection", "HTTPSConnection", "Traced"]
