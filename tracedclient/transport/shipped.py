"""Whether the functions that the fast way passes by are still those that their libraries shipped.

Tools for tests (responses, vcrpy, pook), tracing agents and debuggers replace them. Whoever does
that wants to see every request, so then every request goes through them.
"""

from __future__ import annotations

import http.client
from types import FunctionType, ModuleType
from typing import Any

import requests
import requests.adapters
import urllib3.connection
import urllib3.connectionpool
import urllib3.response
import urllib3.util.ssl_


def _shipped(owner: type[Any] | ModuleType, name: str) -> object:
    """The function as its module defines it; when it was replaced before we came, nothing is."""
    function = vars(owner)[name]
    module = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    is_own = isinstance(function, FunctionType) and function.__module__ == module
    return function if is_own and not hasattr(function, "__wrapped__") else object()


_Pool = urllib3.connectionpool.HTTPConnectionPool
_Connection = urllib3.connection.HTTPConnection
_Secure = urllib3.connection.HTTPSConnection
_Wire = http.client.HTTPConnection
_Body = urllib3.response.HTTPResponse
_Adapter = requests.adapters.HTTPAdapter
_Session = requests.Session

SESSION_SEND = _shipped(_Session, "send")
SESSION_GET_ADAPTER = _shipped(_Session, "get_adapter")
_adapter_send = _shipped(_Adapter, "send")
_adapter_build = _shipped(_Adapter, "build_response")
_urlopen = _shipped(_Pool, "urlopen")
_make_request = _shipped(_Pool, "_make_request")
_get_conn = _shipped(_Pool, "_get_conn")
_connection_class = _Pool.ConnectionCls
_request = _shipped(_Connection, "request")
_getresponse = _shipped(_Connection, "getresponse")
_secure_connect = _shipped(_Secure, "connect")
_wrap_and_match = _shipped(urllib3.connection, "_ssl_wrap_socket_and_match_hostname")
_ssl_wrap_socket = _shipped(urllib3.util.ssl_, "ssl_wrap_socket")
_putrequest = _shipped(_Wire, "putrequest")
_putheader = _shipped(_Wire, "putheader")
_endheaders = _shipped(_Wire, "endheaders")
_send = _shipped(_Wire, "send")
_wire_getresponse = _shipped(_Wire, "getresponse")
_begin = _shipped(http.client.HTTPResponse, "begin")
_stream = _shipped(_Body, "stream")
_read = _shipped(_Body, "read")
_release = _shipped(_Body, "release_conn")
_wire_read = _shipped(http.client.HTTPResponse, "read")


def wire_is_as_shipped() -> bool:
    """Whether nobody has replaced what requests' adapter, urllib3 and http.client do below it."""
    return (
        _Adapter.send is _adapter_send
        and _Adapter.build_response is _adapter_build
        and _Pool.urlopen is _urlopen
        and _Pool._make_request is _make_request  # noqa: SLF001 - what vcrpy and others replace
        and _Pool._get_conn is _get_conn  # noqa: SLF001
        and _Pool.ConnectionCls is _connection_class
        and _Connection.request is _request
        and _Connection.getresponse is _getresponse
        and _Wire.putrequest is _putrequest
        and _Wire.putheader is _putheader
        and _Wire.endheaders is _endheaders
        and _Wire.send is _send
        and _Wire.getresponse is _wire_getresponse
        and http.client.HTTPResponse.begin is _begin
    )


def handshake_is_as_shipped() -> bool:
    """Whether nobody has replaced what urllib3 does for a handshake."""
    return (
        _Secure.connect is _secure_connect
        and urllib3.connection._ssl_wrap_socket_and_match_hostname is _wrap_and_match  # noqa: SLF001
        and urllib3.connection.ssl_wrap_socket is _ssl_wrap_socket  # type: ignore[attr-defined]
    )


def body_is_as_shipped() -> bool:
    """Whether nobody has replaced what urllib3 and http.client do to read a body."""
    return (
        _Body.stream is _stream
        and _Body.read is _read
        and _Body.release_conn is _release
        and http.client.HTTPResponse.read is _wire_read
    )
