"""Bad input: a clear error at the call that got it, never another library's, never harm."""

from __future__ import annotations

import subprocess
import sys

import pytest
import requests
import servers
from requests.structures import CaseInsensitiveDict

from tracedclient import HTTPClient, JsonLogSink, RetryPolicy, Timeout
from tracedclient.debug import FileSource


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "/relative",
        "http://",
        "http://[",
        "http://a..b/",
        "http://:80/",
        "http://host:99999/",
        "http://host:port/",
        "http://exa mple/",
        "http://\x00/",
        f"http://{'a' * 70}.test/",
        "http://" + "ü" * 200 + "/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "mailto:a@example.org",
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_a_bad_url_is_a_requests_exception(client, url, debug):
    """Whatever is wrong with a URL, ``do`` raises one of requests' exceptions, which is a ValueError too."""
    with pytest.raises(requests.RequestException) as caught:
        client.do(requests.Request("GET", url), debug=debug)

    assert isinstance(caught.value, (ValueError, requests.ConnectionError))


def test_a_bad_url_is_traced_as_the_callers_fault(client, collected):
    """A request that cannot be made has its line too: the caller's fault, before any phase."""
    with pytest.raises(requests.exceptions.MissingSchema):
        client.get("/relative")

    trace = collected.one
    assert (trace.outcome, trace.error_phase, trace.verdict_culprit) == (
        "invalid_request",
        "prepare",
        "client",
    )


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X-A": "s3cret\r\nX-B: b"}, "X-A"),
        ({"X-A": "a\nb"}, "X-A"),
        ({"X-A": "a\x00b"}, "X-A"),
        ({"X-A": "a\x7fb"}, "X-A"),
        ({"X-A": "漢字"}, "X-A"),
        ({"X-A": 5}, "X-A"),
        ({"X-A": " s3cret"}, "X-A"),
        ({"X\r\nA": "b"}, "X"),
        ({"X A": "b"}, "X A"),
    ],
)
def test_a_bad_header_is_named_and_not_quoted(client, headers, words):
    """A header that could forge the request is refused before anything is sent."""
    with pytest.raises((requests.exceptions.InvalidHeader, TypeError)) as caught:
        client.get("http://127.0.0.1:1/", headers=headers)

    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_latin1_header_is_sent(client, start):
    """A header of latin-1 characters is what HTTP allows, and goes out."""
    server = start(servers.serve(servers.echo))

    assert client.get(server.url, headers={"X-A": "caf\xe9"}).status_code == 200


@pytest.mark.parametrize(
    "trace_id", ["", "a\r\nb", "a\nb", "a b", "a\x00", "é", "x" * 10_000, "a\n", "{}"]
)
def test_a_bad_trace_id_is_a_value_error(client, collected, trace_id):
    """A trace id that could forge a header or a log line is refused, without quoting it."""
    with pytest.raises(ValueError, match="trace_id must"):
        client.get("http://127.0.0.1:1/", trace_id=trace_id)

    assert collected.results == []


@pytest.mark.parametrize("trace_id", [5, b"abc", ["a"]])
def test_a_trace_id_of_another_type_is_a_type_error(client, trace_id):
    """A trace id that is no string is a TypeError that names the argument."""
    with pytest.raises(TypeError, match="trace_id must be a str"):
        client.get("http://127.0.0.1:1/", trace_id=trace_id)


@pytest.mark.parametrize("request_", ["http://example.org", None, {}, b"GET"])
def test_a_request_of_another_type_is_a_type_error(client, request_):
    """``do`` wants requests' Request, and says so."""
    with pytest.raises(TypeError, match="request must be a requests"):
        client.do(request_)


@pytest.mark.parametrize("method", ["G ET", "GET\r\nX: y", "", "GÉT"])
def test_a_bad_method_is_a_value_error(client, method):
    """A method that is no token is refused."""
    with pytest.raises(ValueError, match="method must be an HTTP token"):
        client.request(method, "http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"debug": "yes"}, TypeError, "debug must be"),
        ({"debug": 1}, TypeError, "debug must be"),
        ({"timeout": -1}, ValueError, "timeout: connect must be greater"),
        ({"timeout": float("nan")}, ValueError, "timeout: connect"),
        ({"timeout": "5"}, TypeError, "timeout: connect must be a number"),
        ({"timeout": (1, 2, 3)}, ValueError, "timeout must be a pair"),
        ({"trace": object()}, TypeError, "trace must be"),
        ({"idempotency_key": 5}, TypeError, "idempotency_key must be"),
        ({"idempotency_key": "a b"}, ValueError, "idempotency_key must be"),
        ({"data": object()}, TypeError, "request.data must be"),
        ({"files": 5}, ValueError, "request has an argument"),
        ({"nonsense": 5}, TypeError, "nonsense"),
    ],
)
def test_a_bad_argument_of_a_call_is_named(client, options, error, words):
    """A wrong type or value of any argument is an error at the call that names it."""
    with pytest.raises(error, match=words):
        client.get("http://127.0.0.1:1/", **options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"service": 5}, TypeError, "service must be a str"),
        ({"debug": "on"}, TypeError, "debug must be True, False or a flag source"),
        (
            {"retry": 3},
            TypeError,
            r"retry must be a RetryPolicy such as RetryPolicy\(max_attempts=3",
        ),
        ({"budget": 0.2}, TypeError, "budget must be a RetryBudget or None"),
        ({"breaker": True}, TypeError, "breaker must be a CircuitBreaker or None"),
        ({"timeout": 0}, ValueError, "timeout: connect must be greater than 0"),
        ({"verify": "/no/such/ca.pem"}, ValueError, "verify: there is no file '/no/such/ca.pem'"),
        ({"verify": None}, TypeError, "verify must be"),
        ({"cert": "/no/such.pem"}, ValueError, "cert: there is no file"),
        ({"verify": __file__}, ValueError, "verify: '.*' cannot be used: "),
        ({"cert": __file__}, ValueError, "cert: '.*' cannot be used: "),
        ({"cert": 5}, TypeError, "cert must be"),
        ({"sinks": [object()]}, TypeError, "sinks must have an emit"),
        ({"sinks": print}, TypeError, r"sinks must be a sequence, such as \[JsonLogSink\(\)\]"),
        ({"sinks": JsonLogSink()}, TypeError, "sinks must be a sequence"),
        ({"sinks": [JsonLogSink]}, TypeError, r"not classes: JsonLogSink\(\)"),
        ({"instruments": None}, TypeError, "instruments must be a sequence"),
        ({"headers": ["a"]}, TypeError, "headers must be a mapping such as .*, not list"),
        ({"headers": [("A", "b")]}, TypeError, "headers must be a mapping"),
        ({"headers": {"X-A": 5}}, TypeError, "headers: the header X-A must be a str"),
        ({"headers": {"X-A": "b\r\nX-B: c"}}, ValueError, "headers: the header X-A has a control"),
        ({"headers": {"X A": "b"}}, ValueError, "headers: a header's name must be an HTTP token"),
        ({"proxies": "http://p:1"}, TypeError, "proxies must be a mapping such as .*, not str"),
        (
            {"proxies": {"http": 3128}},
            TypeError,
            r"proxies\['http'\] must be a URL or None, not int",
        ),
        (
            {"proxies": {"http": "localhost:3128"}},
            ValueError,
            r"proxies\['http'\] must be a URL such",
        ),
        ({"proxies": {"https": "ftp://p:1"}}, ValueError, r"proxies\['https'\] must be a URL such"),
        ({"proxies": {"all": "http://"}}, ValueError, r"proxies\['all'\] must be a URL such"),
        ({"proxies": {"http://": "http://p:1"}}, ValueError, "proxies must have keys such as"),
        ({"redirects": 3}, TypeError, r"redirects must be a RedirectPolicy such as"),
        ({"cookies": {"a": "b"}}, TypeError, "cookies must be True or False, not dict"),
        ({"trust_env": "no"}, TypeError, "trust_env must be True or False"),
        ({"pool_block": 5}, TypeError, "pool_block must be True or False"),
        ({"happy_eyeballs": None}, TypeError, "happy_eyeballs must be True or False"),
        ({"pool_maxsize": 0}, ValueError, "pool_maxsize must be"),
        ({"propagation": "X-Trace"}, TypeError, "propagation must be a Propagation"),
    ],
)
def test_a_bad_argument_of_the_client_is_named_when_it_is_made(options, error, words):
    """A client that cannot work is refused when it is made, not at its first request."""
    with pytest.raises(error, match=words):
        HTTPClient(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"headers": "Bearer s3cret"},
        {"headers": [("Authorization", "s3cret")]},
        {"headers": {"Authorization": "s3cret\n"}},
        {"cookies": {"sid": "s3cret"}},
        {"proxies": "http://user:s3cret@p:1"},
        {"proxies": {"http": "user:s3cret@p:1"}},
    ],
)
def test_a_bad_argument_of_the_client_is_not_quoted_where_it_may_be_a_secret(options):
    """What may hold a credential is named, and not shown."""
    with pytest.raises((TypeError, ValueError)) as caught:
        HTTPClient(**options)

    assert next(iter(options)) in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "proxy", ["10.0.0.1:3128", "//p:1", "HTTP://P:1", "socks5h://p:1", "", None]
)
def test_proxies_of_the_client_may_be_what_requests_takes(make_client, proxy):
    """Each proxy with which requests gets somewhere is taken, and so is what the standard library finds."""
    found = {"http": proxy, "all": None, "https://a.test": "http://p:1", "ftp": "p", "no": "a,b"}

    assert make_client(proxies=found).session.proxies == found


def test_headers_of_the_client_may_be_what_a_session_takes(make_client, start):
    """requests' own mapping, bytes, and ``None`` for a header that is to be left out are all sent as with requests."""
    server = start(servers.serve(servers.echo))
    headers = CaseInsensitiveDict({"x-own": "a", "X-Bytes": b"b", "User-Agent": None})

    sent = {
        name.lower(): value
        for name, value in make_client(headers=headers).get(server.url).json()["headers"]
    }

    assert (sent["x-own"], sent["x-bytes"]) == ("a", "b")


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"max_attempts": 0}, ValueError),
        ({"max_attempts": 6}, ValueError),
        ({"max_attempts": "3"}, TypeError),
        ({"max_attempts": True}, TypeError),
        ({"wait": 1}, TypeError),
        ({"methods": "GET"}, TypeError),
        ({"methods": 5}, TypeError),
        ({"statuses": {200}}, ValueError),
        ({"statuses": {"503"}}, TypeError),
        ({"retry_after_max": -1}, ValueError),
        ({"retry_after_max": float("nan")}, ValueError),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(values, error):
    """A retry policy is checked when it is made, and names the field."""
    with pytest.raises(error, match=next(iter(values))):
        RetryPolicy(**values)


def test_a_malformed_redirect_is_a_requests_exception(client, start):
    """A Location that no URL parser takes is requests' InvalidURL, whatever raised it inside."""
    for location in (
        "http://[",
        "http://a..b/",
        "http://host:port/",
        "ftp://x/",
        "http://\xff\xfe/",
    ):
        server = start(
            servers.serve(lambda _, to=location: (302, [("Location", to)], b""), expected=OSError)
        )
        with pytest.raises(requests.RequestException):
            client.get(server.url)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9" + b"9" * 5000 + b"\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nNo colon here\r\nX\x00: y\r\nContent-Length: 2\r\n\r\nok",
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_whatever_a_server_sends_only_requests_exceptions_come_out(
    make_client, start, answer, debug
):
    """No answer makes ``do`` raise anything but requests' exceptions; some are simply answers."""

    def give(peer):
        peer.read_request()
        peer.send(answer)

    server = start(servers.ScriptedServer(give, expected=OSError))
    client = make_client(retry=RetryPolicy(max_attempts=1), timeout=Timeout(1, 1, 2))
    try:
        outcome = client.get(server.url, debug=debug)
    except requests.RequestException as error:
        outcome = error

    if isinstance(outcome, Exception):
        assert type(outcome).__module__.startswith(("requests", "tracedclient"))
    else:
        assert outcome.status_code == 200


def test_a_sink_that_raises_harms_nothing(make_client, echo_server, caplog):
    """A sink's failure is logged, once; the request gets its answer."""

    class Broken:
        def emit(self, result):
            raise RuntimeError("disk full")

    client = make_client(sinks=[Broken()])

    for _ in range(3):
        assert client.get(echo_server.url).status_code == 200
    assert caplog.text.count("Broken raised; its trace is lost") == 1


def test_a_hook_that_raises_harms_nothing(make_client, echo_server, caplog):
    """A caller's hook that raises is dropped and logged; the request and its trace go on."""
    from tracedclient.httptrace import ClientTrace

    class Broken(ClientTrace):
        def got_conn(self, info):
            raise RuntimeError("oops")

    response = make_client().get(echo_server.url, trace=Broken())

    assert response.trace.outcome == "ok"
    assert caplog.text.count("Broken.got_conn raised") == 1


def test_a_bad_flag_file_harms_nothing(tmp_path, echo_server):
    """A directory, an unreadable or a malformed file in the flag's place means off, not an error."""
    malformed = tmp_path / "flag.json"
    malformed.write_text('{"enabled": tru')
    for path in (tmp_path, malformed, tmp_path / "missing"):
        with HTTPClient(debug=FileSource(path)) as client:
            assert client.get(echo_server.url).trace is None


def test_notes_and_traces_survive_a_process(tmp_path):
    """The error a script dies of shows the verdict in its traceback."""
    script = (
        "from tracedclient import HTTPClient\n"
        "HTTPClient(debug=True, sinks=[]).get('http://nowhere.invalid/', trace_id='abc')\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert "requests.exceptions.ConnectionError" in done.stderr
    if sys.version_info >= (3, 11):
        assert "trace_id=abc: dns: DNS gave no address" in done.stderr
