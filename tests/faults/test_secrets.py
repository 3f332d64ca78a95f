"""The corpus, grepped for in all that the client writes, logs, keeps or raises."""

from __future__ import annotations

import logging
import logging.config
import pickle
import socket
import traceback

import pytest
import requests
import servers
from urllib3.exceptions import MaxRetryError, NewConnectionError

from faults.corpus import ANSWERS, CANARY, FORMS, MALFORMED, MISSPELT, NO_HEADER, USER, places
from tracedclient import HTTPClient, RetryPolicy, Timeout, logging_config
from tracedclient.trace.schema import from_json

PLACES = list(places())
SENDABLE = [place for place in PLACES if not place.name.startswith("bad header")]
ITS_OWN_WORDS = {"the status line", "the version", "garbage", "the length of a chunk"}
"""What http.client quotes of a peer that does not speak HTTP."""
ENDINGS = ["answered", "reset", "refused", "no such name"]


class Output:
    """All that comes out of one client: its log, every logger of the process, the standard streams."""

    def __init__(self, path, caplog, capfd):
        self._path = path
        self._caplog = caplog
        self._capfd = capfd
        self.told = []
        """What was returned or raised, as its reader would print it."""

    def ours(self):
        """Every text that this package has written."""
        foreign = ("urllib3", "requests", "charset_normalizer")
        records = [r for r in self._caplog.records if not r.name.startswith(foreign)]
        yield self._path.read_text()
        yield from (f"{record.getMessage()} {record.__dict__}" for record in records)
        yield from self._capfd.readouterr()
        yield from self.told

    def urllib3s(self):
        """Every text in a log that urllib3 has written."""
        return [r.getMessage() for r in self._caplog.records if r.name.startswith("urllib3")]

    def lines(self):
        return self._path.read_text().splitlines()


@pytest.fixture
def output(tmp_path, caplog, capfd):
    """The log set up as an application does, and every logger as talkative as can be."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "app.log"
    path.touch()
    loggers = [logging.getLogger(name) for name in ("tracedclient.trace", "tracedclient")]
    before = [(x, x.handlers[:], x.level, x.propagate) for x in loggers]
    logging.config.dictConfig(logging_config(filename=path))
    yield Output(path, caplog, capfd)
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture
def client(output):
    with HTTPClient(
        service="orders", debug=True, retry=RetryPolicy(max_attempts=1), timeout=Timeout(1, 1, 3)
    ) as client:
        yield client


def tell(output, client, url, **arguments):
    """Make a call; keep what our part of its outcome says. Return the error, if any."""
    arguments = {"method": "POST", **arguments}
    try:
        trace = client.request(url=url, **arguments).trace
        error = None
    except requests.RequestException as failure:
        trace, error = failure.trace, failure
        output.told += getattr(failure, "__notes__", [])
    output.told += [repr(trace), str(trace), repr(client), repr(client.in_flight())]
    return error


def leaks(texts):
    return [(form, text) for text in texts for form in FORMS if form in text]


@pytest.fixture
def targets(start, resolver):
    """Host and port for each way in which a call can end."""
    resolver["nowhere.test"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    resetting = start(servers.ScriptedServer(lambda peer: (peer.read_request(), peer.reset())))
    return {
        "answered": start(servers.serve(servers.echo)).host_port,
        "reset": resetting.host_port,
        "refused": f"127.0.0.1:{servers.refused_port()}",
        "no such name": "nowhere.test",
    }


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_place_of_a_request_is_told(output, client, targets, ending):
    """However the call ends: a credential of the request is in nothing that this package writes."""
    for place in PLACES:
        tell(output, client, place.url(targets[ending]), **place.arguments)

    assert leaks(output.ours()) == []
    assert len(output.lines()) == len(PLACES)


@pytest.mark.parametrize("name", [*ANSWERS, *MALFORMED])
def test_no_place_of_an_answer_is_told(output, client, start, name):
    """A credential that a server sends, well-formed or not, is in nothing that we write."""
    data = MALFORMED.get(name) or ANSWERS[name] + b"Content-Length: 0\r\n\r\n"

    def handle(peer):
        while peer.read_request():
            peer.send(data)
            if name in MALFORMED:
                return

    server = start(servers.ScriptedServer(handle))
    client.session.max_redirects = 2

    tell(output, client, server.url)

    assert leaks(output.ours()) == []
    assert len(output.lines()) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("where", ["call", "client", "environment"])
def test_no_credential_of_a_proxy_is_told(output, monkeypatch, start, where, scheme):
    """A proxy's password reaches the proxy, or nobody; wherever the proxy was named."""
    proxy = start(servers.forward_proxy(credentials=("user", CANARY)))
    addresses = [proxy.url.replace("//", f"//{USER}@"), f"http://{USER}@127.0.0.1:1"]
    for address in addresses:
        given = {scheme: address}
        if where == "environment":
            monkeypatch.setenv(f"{scheme}_proxy", address)
        options = {"proxies": given} if where == "client" else {}
        arguments = {"proxies": given} if where == "call" else {}
        with HTTPClient(debug=True, retry=RetryPolicy(max_attempts=1), **options) as client:
            tell(output, client, f"{scheme}://127.0.0.1:1/", **arguments)

    assert leaks(output.ours()) == []
    assert len(output.lines()) == 2
    assert proxy.requests or scheme == "http"


def test_each_call_is_one_line_whatever_a_server_says(output, client, start):
    """Line separators, NULs and escapes in what a server sends forge no line, and lose none."""
    nasty = b"a\x85\x0b\x0c\x1b[31m\xe2\x80\xa8\xe2\x80\xa9\x00b"
    servers_of_it = [
        b"HTTP/1.1 503 " + nasty + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Nasty: " + nasty + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: /" + nasty + b"\r\nContent-Length: 0\r\n\r\n",
        nasty + b"\r\n\r\n",
    ]
    client.session.max_redirects = 1
    for number, data in enumerate(servers_of_it):
        with servers.ScriptedServer(lambda peer, data=data: sent(peer, data)) as server:
            tell(output, client, server.url, method="GET", trace_id=f"call-{number}")

    lines = output.lines()
    assert [from_json(line).trace_id for line in lines] == [f"call-{n}" for n in range(4)]
    assert all(line.isprintable() for line in lines)


def sent(peer, data):
    while peer.read_request():
        peer.send(data)


def chain(error):
    """What Python prints of an error that nobody caught, and of all behind it."""
    told = traceback.TracebackException.from_exception(error)
    seen = []
    while told is not None:
        # Without source lines, which have the canary's name but not its value.
        seen += told.format_exception_only()
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    return seen


def test_no_credential_is_in_a_traceback(output, client, targets):
    """An uncaught error prints no credential: neither its own text, nor those behind it."""
    printed = []
    for place in PLACES:
        for ending in ("reset", "refused", "no such name"):
            error = tell(output, client, place.url(targets[ending]), **place.arguments)
            assert error is not None
            printed += chain(error) + chain(pickle.loads(pickle.dumps(error)))

    assert leaks(printed) == []


@pytest.mark.parametrize("url", MISSPELT)
def test_no_credential_of_a_url_that_is_none_is_in_a_traceback(output, client, url):
    """An error that objects to a URL does not quote its password or its query."""
    error = tell(output, client, url)

    assert isinstance(error, ValueError)
    assert leaks(chain(error)) == []


@pytest.mark.parametrize("name", [*ANSWERS, *MALFORMED])
def test_no_credential_of_an_answer_is_in_a_traceback(output, client, start, name):
    """Where a redirect leads, or what of an answer is malformed, is in no error's text; but for its
    own words: the first line, the status's reason, the encoding."""
    data = MALFORMED.get(name) or ANSWERS[name] + b"Content-Length: 0\r\n\r\n"
    server = start(servers.ScriptedServer(lambda peer: sent(peer, data)))
    client.session.max_redirects = 2

    error = tell(output, client, server.url)

    if error is not None and name not in ITS_OWN_WORDS:
        assert leaks(chain(error)) == []


@pytest.mark.parametrize("place", SENDABLE, ids=lambda place: place.name)
def test_no_credential_is_in_the_error_of_a_status(output, client, start, place):
    """``raise_for_status`` says which URL, without what is secret in it."""
    server = start(servers.serve(lambda _: (500, [], b"")))
    response = client.post(place.url(server.host_port), **place.arguments)

    with pytest.raises(requests.HTTPError, match=f"for url: .*{server.host_port}") as caught:
        response.raise_for_status()

    assert leaks(chain(caught.value)) == []
    assert caught.value.response is response


def test_an_error_keeps_all_but_its_text(client, targets):
    """The errors are those of requests and urllib3, with their request; only the query is missing."""
    with pytest.raises(requests.ConnectionError) as caught:
        client.get(f"http://{targets['refused']}/orders?token={CANARY}")

    (behind,) = caught.value.args
    assert isinstance(behind, MaxRetryError)
    assert isinstance(behind.reason, NewConnectionError)
    assert "/orders?token=REDACTED (Caused by" in str(caught.value)
    assert caught.value.request.url.endswith(f"/orders?token={CANARY}")


def test_no_credential_is_in_a_log_of_urllib3(output, client, targets, start):
    """With every logger at DEBUG, as while hunting a bug, urllib3's lines have no credential."""
    for place in PLACES:
        for ending in ENDINGS:
            tell(output, client, place.url(targets[ending]), **place.arguments)

    assert leaks(output.urllib3s()) == []
    assert any("/?token=REDACTED" in line for line in output.urllib3s())


def test_no_credential_is_in_a_warning_about_a_header(output, client, start):
    """A malformed header is warned of without the header, and without the URL's query."""
    server = start(servers.ScriptedServer(lambda p: (p.read_request(), p.send(NO_HEADER))))

    tell(output, client, f"{server.url}/?token={CANARY}", trace_id="call-1")

    assert leaks([*output.urllib3s(), *output.ours()]) == []
    assert any("call-1 has lines in its head that are no headers" in x for x in output.ours())
