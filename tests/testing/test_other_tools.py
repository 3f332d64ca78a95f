"""responses and requests-mock work on this package's clients as on any requests.Session."""

from __future__ import annotations

import pytest
import requests
import requests_mock
import responses

from tracedclient import HTTPClient, TracedSession
from tracedclient.testing import Answer, faulty_server, retries_without_sleeping

URL = "http://api.test/orders/7"


@pytest.fixture
def silent():
    """A client with debug off."""
    with HTTPClient(sinks=()) as client, retries_without_sleeping():
        yield client


class Responses:
    """The library ``responses``: in place of ``HTTPAdapter.send``."""

    exchanges_seen = True
    unforeseen = requests.ConnectionError

    def __init__(self):
        self.mock = responses.RequestsMock(assert_all_requests_are_fired=False)

    def __enter__(self):
        self.mock.start()
        return self

    def __exit__(self, *_):
        self.mock.stop()
        self.mock.reset()

    def will(self, status=200, body=b"", headers=None, error=None, url=URL):
        self.mock.add("GET", url, error or body, status=status, headers=headers)

    @property
    def sent(self):
        return [call.request for call in self.mock.calls]


class RequestsMock:
    """The library ``requests-mock``: in place of ``Session.get_adapter``."""

    # Our adapter is not asked at all, so nobody tells of exchanges and redirects.
    exchanges_seen = False
    unforeseen = requests_mock.NoMockAddress

    def __init__(self):
        self.mock = requests_mock.Mocker()
        self.answers = {}

    def __enter__(self):
        self.mock.start()
        return self

    def __exit__(self, *_):
        self.mock.stop()

    def will(self, status=200, body=b"", headers=None, error=None, url=URL):
        answer = {"status_code": status, "content": body, "headers": headers or {}}
        self.answers.setdefault(url, []).append({"exc": error} if error else answer)
        self.mock.get(url, self.answers[url])

    @property
    def sent(self):
        return self.mock.request_history


@pytest.fixture(params=[Responses, RequestsMock], ids=["responses", "requests-mock"])
def mock(request):
    """One of the two libraries that answer in the server's place."""
    with request.param() as mock:
        yield mock


def test_a_mocked_answer_has_a_trace(client, sink, mock):
    """The answer is the mock's, the trace is on it and in the sink, and the id was sent."""
    mock.will(200, b'{"item": 7}', {"Content-Type": "application/json"})

    response = client.get(URL, trace_id="4bf92f35")

    assert response.json() == {"item": 7}
    assert response.trace is sink.one
    assert (sink.one.outcome, sink.one.attempt_count) == ("ok", 1)
    assert len(sink.one.attempts[0].exchanges) == mock.exchanges_seen
    assert [sent.headers["X-Trace-Id"] for sent in mock.sent] == ["4bf92f35"]


def test_a_mocked_answer_with_debug_off(silent, mock):
    """With debug off its trace is None, as with a real answer."""
    mock.will(200, b"x")
    response = silent.get(URL)
    assert (response.content, response.trace, silent.in_flight()) == (b"x", None, ())


def test_mocked_answers_are_retried(client, sink, mock):
    """A scripted failure is one: status, then an exception, then the answer."""
    mock.will(503)
    mock.will(error=requests.ConnectTimeout("too late"))
    mock.will(200, b"there")

    assert client.get(URL).content == b"there"
    assert len(mock.sent) == 3
    assert [attempt.status for attempt in sink.one.attempts] == [503, None, 200]
    assert sink.one.attempts[1].error.type == "ConnectTimeout"


def test_a_mocked_exception_gets_out_with_its_trace(client, sink, mock):
    """The exception that the mock was given is the one that is raised, with the trace on it."""
    error = requests.ConnectionError("mocked")
    for _ in range(3):
        mock.will(error=error)

    with pytest.raises(requests.ConnectionError) as raised:
        client.get(URL)

    assert raised.value is error
    assert raised.value.trace is sink.one
    assert sink.one.attempt_count == 3


def test_a_url_without_a_mock_is_an_error(client, sink, mock):
    """A call that the test did not foresee raises the library's own error, and reaches no network.
    That of responses is a ConnectionError, which a client takes for one: it tries again."""
    mock.will(200)
    with faulty_server(Answer()) as server:
        with pytest.raises(mock.unforeseen) as raised:
            client.get(f"{server.url}/other")
        assert server.requests == []
    assert raised.value.trace is sink.one
    assert sink.one.attempt_count == (3 if mock.unforeseen is requests.ConnectionError else 1)


@pytest.mark.parametrize("debug", [True, False])
def test_a_streamed_mocked_answer_is_no_call_in_flight(client, sink, mock, debug):
    """Its body comes over no connection; the trace does not wait for the end of one."""
    mock.will(200, b"123456")
    response = client.get(URL, stream=True, debug=debug)
    assert b"".join(response.iter_content(2)) == b"123456"
    assert client.in_flight() == ()
    assert sink.results == ([response.trace] if debug else [])


def test_a_mocked_redirect_is_followed(client, mock):
    """A redirect is followed to another mocked answer; what sees exchanges counts it."""
    mock.will(302, headers={"Location": f"{URL}/new"})
    mock.will(200, b"new", url=f"{URL}/new")
    response = client.get(URL)
    assert (response.content, len(response.history)) == (b"new", 1)
    assert response.trace.redirect_count == mock.exchanges_seen


def test_a_large_mocked_body(client, mock):
    """The bound of a decoded body does not take a mocked one for a bomb."""
    mock.will(200, bytes(12 * 1024 * 1024))
    assert len(client.get(URL).content) == 12 * 1024 * 1024


def test_a_mocked_session(mock):
    """A TracedSession of its own takes mocked answers too."""
    mock.will(200, b"x")
    with TracedSession() as session:
        assert session.get(URL).content == b"x"


def test_the_wire_is_back_afterwards(client):
    """When the mock has gone the client talks to real servers, and traces them whole."""
    for library in (Responses, RequestsMock):
        with library() as mock, faulty_server(Answer(200, b"real")) as server:
            mock.will(200, b"mocked", url=f"{server.url}/")
            assert client.get(f"{server.url}/").content == b"mocked"
            mock.__exit__()
            response = client.get(f"{server.url}/")
            mock.__enter__()
        assert response.content == b"real"
        assert response.trace.attempts[0].exchanges[0].connection.reused is False


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_is_let_through(client, stream):
    """What the library lets through to the network is traced whole, streamed or not."""
    with faulty_server(Answer(200, b"real")) as server:
        with requests_mock.Mocker(real_http=True):
            mocked = client.get(server.url, stream=stream)
            assert mocked.content == b"real"
        with responses.RequestsMock() as mock:
            mock.add_passthru(server.url)
            through = client.get(server.url, stream=stream)
            assert through.content == b"real"
    assert mocked.trace.attempts[0].exchanges[0].bytes_received > 0
    assert through.trace.attempts[0].exchanges[0].bytes_received > 0
    assert client.in_flight() == ()


def test_matchers_of_responses(client):
    """Its matchers see the request as it is sent, with the headers that the client adds."""
    with responses.RequestsMock() as mock:
        body = responses.matchers.json_params_matcher({"item": 7})
        headers = responses.matchers.header_matcher({"Idempotency-Key": "k", "X-Trace-Id": "t"})
        mock.post(URL, match=[body, headers], status=201)
        answer = client.post(URL, "t", json={"item": 7}, idempotency_key="k")
    assert answer.status_code == 201


def test_a_mounted_adapter_of_requests_mock(client, sink):
    """Its adapter, mounted on the client's session, answers for its own scheme."""
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", "mock://api.test/x", text="hi")
    client.session.mount("mock://", adapter)

    assert client.get("mock://api.test/x").text == "hi"
    assert sink.one.outcome == "ok"
