"""The answer comes, or the connection ends; and the whole of what both kinds add to urllib3's."""

from __future__ import annotations

from functools import partial

import urllib3.connection

from tracedclient.transport.connection.sending import Sending
from tracedclient.transport.response import HTTPResponse


class Traced(Sending):
    """What both kinds of connection add to urllib3's."""

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        self.phase = "wait"
        answer, self._begun_answer = self._begun_answer, None
        begun, self.begun = self.begun, None
        if answer is not None:
            self.response_class = lambda *_, **__: answer
        elif self.trace is not None or self._writing.closes or begun is not None:
            self.response_class = partial(HTTPResponse, **self._observation(), begun=begun)
        try:
            response = super().getresponse()
        finally:
            self.response_class = HTTPResponse
        self.phase = "receive"
        self.learn_idle_time(response.headers.get("keep-alive"))
        wire = response._original_response  # noqa: SLF001 - urllib3 has no public way to it
        if isinstance(wire, HTTPResponse):
            wire.bind(response)
            wire.peer = self.peer
        return response

    def close(self) -> None:
        answer, self._begun_answer = self._begun_answer, None
        if answer is not None:
            answer.close()
        super().close()


class HTTPConnection(Traced, urllib3.connection.HTTPConnection):
    """urllib3's ``HTTPConnection``, observed."""
