"""What is said of an error: the network's own words, and nothing of the caller's or the peer's."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

import pytest
import requests
from urllib3.exceptions import DecodeError, MaxRetryError, NewConnectionError, ProtocolError

from tracedclient.errors import DeadlineExceeded
from tracedclient.redaction import causes, describe_error

CANARY = "s3cr3tCanary"


def as_requests_raises(inner, url=f"/?token={CANARY}"):
    """``inner`` as it comes out of requests: wrapped by urllib3, wrapped by requests."""
    try:
        try:
            raise inner
        except Exception as error:
            raise MaxRetryError(None, url, error) from error
    except MaxRetryError as error:
        try:
            raise requests.ConnectionError(error)
        except requests.ConnectionError as raised:
            return raised


NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (REFUSED, "ECONNREFUSED: Connection refused"),
        (NO_NAME, "EAI_NONAME: Name or service not known"),
        (socket.gaierror(-99999, "?"), "EAI -99999: ?"),
        (TimeoutError("The read operation timed out"), "The read operation timed out"),
        (RemoteDisconnected("Remote end closed connection"), "Remote end closed connection"),
        (OSError(), "OSError"),
        (OSError(99999, "odd"), "99999: odd"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong"), "[SSL: WRONG_VERSION_NUMBER] wrong"),
        (ssl.SSLError("handshake cut short"), "handshake cut short"),
        (ssl.SSLCertVerificationError("no match"), "CERTIFICATE_VERIFY_FAILED"),
        (BadStatusLine(CANARY), "the peer's first line is no HTTP status line"),
        (IncompleteRead(CANARY.encode()), "the connection ended before the body did"),
        (DecodeError(f"bad gzip: {CANARY}"), "the body could not be decoded"),
        (ValueError(CANARY), None),
        (RuntimeError(f"body of {CANARY}"), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_error_is_described_by_the_network_or_not_at_all(error, text):
    """The network's own words are shown, bare or wrapped; a peer's or the caller's never are."""
    for shape in (error, as_requests_raises(error), ProtocolError("aborted", error)):
        shown = describe_error(shape)
        assert shown is None if text is None else text in shown
        assert CANARY not in (shown or "")


def test_real_certificate_error_says_why():
    """An error of OpenSSL's own carries its reason."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="api.test")
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError) as caught:
        client.do_handshake()
    assert describe_error(as_requests_raises(caught.value)) == caught.value.reason


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (requests.exceptions.InvalidURL(f"bad {CANARY}"), "the URL is not valid"),
        (requests.exceptions.MissingSchema(CANARY), "the URL has no scheme such as https://"),
        (requests.TooManyRedirects(CANARY), "too many redirects"),
        (DeadlineExceeded(CANARY), "the total timeout of the call has passed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_error_of_the_call_is_described_by_its_class(error, text):
    """An error that is no network's is described by a sentence of ours, without its own text."""
    assert describe_error(error) == text


def test_timeout_behind_a_deadline_does_not_hide_it():
    """A deadline stays a deadline, although a timeout of the socket brought it up."""
    error = DeadlineExceeded("…")
    error.__cause__ = TimeoutError("timed out")
    assert describe_error(error) == "the total timeout of the call has passed"


def test_what_the_caller_was_handling_is_not_the_cause():
    """A fallback called while another failure is handled is judged by its own failure alone."""
    failure, invalid = as_requests_raises(NO_NAME), requests.exceptions.InvalidURL("bad")
    try:
        raise failure
    except requests.ConnectionError:
        refused = as_requests_raises(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    # As Python sets it when the second is raised while the first is handled.
    invalid.__context__ = failure
    assert list(causes(refused))[-1].__context__ is failure
    assert NO_NAME not in list(causes(refused))
    assert describe_error(refused) == "ECONNREFUSED: refused"
    assert describe_error(invalid) == "the URL is not valid"


def test_causes_end():
    """Errors that refer to each other, and very long chains, come to an end."""
    first, second = OSError("first"), OSError("second")
    first.__cause__, second.__cause__ = second, first
    assert list(causes(first)) == [first, second]
    error = OSError("0")
    for number in range(1000):
        error, error.__cause__ = OSError(str(number)), error
    assert len(list(causes(error))) <= 32


def test_context_of_a_wrapper_is_a_cause_unless_suppressed():
    """requests raises some errors without saying from which; where it says "from None", it means it."""
    followed, suppressed = requests.ConnectionError("x"), requests.ConnectionError("y")
    followed.__context__ = suppressed.__context__ = REFUSED
    suppressed.__suppress_context__ = True
    assert list(causes(followed)) == [followed, REFUSED]
    assert list(causes(suppressed)) == [suppressed]


def test_causes_come_outermost_first():
    """What wraps comes before what is wrapped, down to the operating system's error."""
    inner = OSError("inner")
    found = [type(cause) for cause in causes(as_requests_raises(NewConnectionError(None, "new")))]
    assert found == [requests.ConnectionError, MaxRetryError, NewConnectionError]
    assert list(causes(as_requests_raises(inner)))[-1] is inner


def test_error_whose_text_is_an_error_has_none():
    """An exception of the application's that fails when it is asked for its text is known by its class."""

    class Mute(OSError):
        def __str__(self):
            raise RuntimeError(CANARY)

    assert describe_error(Mute()) is None
    assert describe_error(as_requests_raises(Mute())) is None
