"""How sources fetch: one attempt, bounded whatever the peer does, and silent about secrets."""

from __future__ import annotations

import gc
import gzip
import os
import threading
import time
import traceback
import tracemalloc
import zlib
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from servers import Answer, ScriptedServer, echo, forward_proxy, hanging_server, refused_port, serve

from tracedclient.debug import SourceError
from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.fetching.web import Web, refusal

SECRET = "s3cret"


@pytest.fixture
def web():
    """A ``Web`` with a short total."""
    with closing(Web(total=1.0)) as made:
        yield made


@pytest.fixture
def cancel():
    return threading.Event()


def get(web, server, path="/", cancel=None, **options):
    cancel = cancel or threading.Event()
    return web.request("GET", f"http://127.0.0.1:{server.port}{path}", cancel=cancel, **options)


@pytest.fixture
def fails(web):
    """``fails(server)``: the words of the error of one GET, which took less than five seconds."""

    def error(server, path=f"/?token={SECRET}", **options):
        began = time.monotonic()
        with pytest.raises(SourceError) as caught:
            get(web, server, path, **options)
        assert time.monotonic() - began < 5
        told = "".join(traceback.format_exception(caught.value))
        assert SECRET not in told
        return str(caught.value)

    return error


@pytest.mark.parametrize(
    "path",
    [
        "/configs/a%2fb/%C3%9c?x=%2b&y=%2B&z=a+b",
        "/a/../b/./c//d?",
        "/?q=[1]{2}|^`'\"<>",
        "/%zz%?%",
        "/a;b=1/@:!$&'()*,~",
    ],
)
def test_target_goes_out_as_it_is(web, echo_server, path):
    """Path and query are on the wire byte for byte: a config centre signs exactly those."""
    get(web, echo_server, path)
    assert echo_server.requests[0].raw.startswith(f"GET {path} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(("url", "target"), [("", "/"), ("?a=1", "/?a=1"), ("/a#b", "/a")])
def test_url_without_path_and_with_fragment(web, echo_server, url, target):
    """An empty path is a slash, and a fragment stays at home (RFC 9112 §3.2.1)."""
    get(web, echo_server, url)
    assert echo_server.requests[0].target == target


def test_answer(web, echo_server):
    """An answer has its status, its body, and headers that are found in any case."""
    answer = get(web, echo_server, "/status/503")
    assert (answer.status, answer.headers["CONTENT-type"]) == (503, "application/json")
    assert b'"target": "/status/503"' in answer.body


def test_post(web, echo_server, cancel):
    """A body is sent with its length, in whatever method."""
    url = f"http://127.0.0.1:{echo_server.port}/v3/kv/range"
    web.request("POST", url, body=b'{"key": "Zm9v"}', cancel=cancel)
    (request,) = echo_server.requests
    assert (request.method, request.body) == ("POST", b'{"key": "Zm9v"}')
    assert request.headers.get("Content-Length") == "15"


def test_headers_of_all_and_of_one(echo_server):
    """The headers of a request replace those of its ``Web``, whatever the case."""
    with closing(Web(headers={"X-Token": "one", "Accept": "text/plain"})) as web:
        get(web, echo_server, headers={"x-token": "two"})
    headers = echo_server.requests[0].headers
    assert headers.get_all("X-Token") == ["two"]
    assert headers.get_all("Accept") == ["text/plain"]
    assert headers.get("User-Agent").startswith("tracedclient/")


def test_userinfo_is_basic_authorization(web, echo_server, cancel):
    """``user:password@`` of a URL is sent as Basic, percent-decoded, and not in the target."""
    web.request("GET", f"http://al%40ice:p%3Aw@127.0.0.1:{echo_server.port}/x", cancel=cancel)
    request = echo_server.requests[0]
    assert request.headers.get("Authorization") == "Basic YWxAaWNlOnA6dw=="
    assert b"ice:p" not in request.raw


def test_connection_is_kept(web, echo_server):
    """One connection serves request after request."""
    for path in ("/", "/gzip", "/chunked/3", "/status/304", "/status/404"):
        get(web, echo_server, path)
    assert echo_server.connections == 1


@pytest.mark.parametrize("end", ["close", "reset"])
def test_stale_connection_is_replaced(web, end):
    """A kept connection that dies on the next GET costs one fresh connection, not an error."""

    def once(peer):
        peer.read_request()
        peer.answer(200, b"one")
        peer.read_request()
        getattr(peer, end)()

    def again(peer):
        peer.read_request()
        peer.answer(200, b"two")

    with ScriptedServer([once, again]) as server:
        assert [get(web, server).body, get(web, server).body] == [b"one", b"two"]


def test_only_a_stale_connection_is_replaced(web, fails):
    """A fresh connection that ends without an answer is an error: there is one attempt."""
    with ScriptedServer(lambda peer: peer.read_request()) as server:
        assert "closed" in fails(server)
        assert server.connections == 1


def test_post_is_not_sent_twice(web, cancel):
    """A POST whose kept connection dies under it is an error: it may have been done."""

    def once(peer):
        peer.read_request()
        peer.answer(200, b"one")
        peer.read_request()
        peer.close()

    with ScriptedServer(once) as server:
        get(web, server)
        with pytest.raises(SourceError):
            web.request("POST", f"http://127.0.0.1:{server.port}/", body=b"x", cancel=cancel)
        assert server.connections == 1


def test_redirect_is_an_answer(web, echo_server):
    """No redirect is followed."""
    answer = get(web, echo_server, "/redirect?to=/elsewhere")
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")
    assert len(echo_server.requests) == 1


def drip_head(peer):
    peer.read_request()
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000:
        peer.send(bytes([byte]))
        peer.sleep(0.02)


def drip_body(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        peer.send(b"x")
        peer.sleep(0.02)


def drip_chunks(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        peer.send(b"1\r\nx\r\n")
        peer.sleep(0.02)


@pytest.mark.parametrize("handler", [drip_head, drip_body, drip_chunks, lambda peer: peer.drain()])
def test_total_is_total(fails, handler):
    """A request ends after ``total`` seconds, though each byte comes in time."""
    with ScriptedServer(handler) as server:
        assert fails(server).endswith("gave no whole answer within 1 s")


def test_wait_is_added_to_the_total(web):
    """A server may hold a request for ``wait`` seconds, and then still has ``total``."""
    with serve(lambda _: Answer(200, b"late", delay=1.2)) as server:
        assert get(web, server, wait=1.0).body == b"late"


def test_peer_that_takes_nothing(web, cancel):
    """A request that the peer does not read ends as well."""
    with ScriptedServer(lambda peer: peer.sleep(10)) as server, pytest.raises(SourceError):
        web.request(
            "POST", f"http://127.0.0.1:{server.port}/", body=bytes(20_000_000), cancel=cancel
        )


@pytest.mark.parametrize("phase", ["head", "body", "connect", "tls", "lookup"])
def test_cancel(phase, resolver, black_hole, cancel):
    """A request ends soon after ``cancel`` is set, wherever it is waiting."""
    released = threading.Event()

    def hang():
        released.wait(10)
        raise OSError("too late")

    def begin(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        peer.drain()

    resolver["slow.test"] = hang
    with ScriptedServer(begin) as body, hanging_server() as silent:
        url = {
            "head": f"http://127.0.0.1:{silent.port}/",
            "body": f"http://127.0.0.1:{body.port}/",
            "connect": "http://{}:{}/".format(*black_hole),
            "tls": f"https://127.0.0.1:{silent.port}/",
            "lookup": "http://slow.test/",
        }[phase]
        with closing(Web(connect=10, total=10)) as web:
            timer = threading.Timer(0.3, cancel.set)
            timer.start()
            began = time.monotonic()
            with pytest.raises(SourceError, match="cancelled"):
                web.request("GET", url, wait=30, cancel=cancel)
            assert 0.2 < time.monotonic() - began < 5
            timer.join()
    released.set()


def test_connect_has_a_time_of_its_own(black_hole, cancel):
    """An address that does not answer is given up after ``connect`` seconds."""
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"no connection within 0\.2 s"):
        Web(connect=0.2).request("GET", "http://{}:{}/".format(*black_hole), cancel=cancel)
    assert time.monotonic() - began < 4


def test_next_address(resolver, echo_server, web, cancel):
    """A name with an address that refuses is reached at its next one."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    answer = web.request("GET", f"http://two.test:{echo_server.port}/", cancel=cancel)
    assert answer.status == 200


def test_lookup_that_hangs_is_started_once(resolver, cancel):
    """A nameserver that is silent holds one thread, however often the source asks."""
    released = threading.Event()

    def hang():
        released.wait(10)
        raise OSError("too late")

    resolver["slow.test"] = hang
    web = Web(total=0.05)
    for _ in range(3):
        with pytest.raises(SourceError, match="within"):
            web.request("GET", "http://slow.test/", cancel=cancel)
    assert resolver.lookups == ["slow.test"]
    released.set()


@pytest.mark.parametrize("host", ["nowhere.test", "a..b", "x" * 70])
def test_name_without_an_address(resolver, web, host, cancel):
    """A host that cannot be found is an error that names it."""
    resolver["nowhere.test"] = OSError("nothing")
    with pytest.raises(SourceError, match=f"^{host}: "):
        web.request("GET", f"http://{host}/", cancel=cancel)


def test_refused(web, cancel):
    """A refused connection is an error with host, port and reason."""
    port = refused_port()
    with pytest.raises(SourceError, match=f"^127.0.0.1:{port}: ECONNREFUSED: Connection refused$"):
        web.request("GET", f"http://127.0.0.1:{port}/?a={SECRET}", cancel=cancel)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"\x00\xff\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/9.9 1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_broken_answer(fails, sent):
    """Whatever is no whole HTTP answer is an error in words, and its connection is given up."""

    def handler(peer):
        peer.read_request()
        peer.send(sent)

    with ScriptedServer(handler) as server:
        words = fails(server)
        assert words.startswith((f"127.0.0.1:{server.port}", "the answer of"))


def test_malformed_header_is_not_logged(web, caplog):
    """A header that http.client does not like brings no URL into any log."""

    def handler(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\nok")

    with ScriptedServer(handler) as server:
        get(web, server, f"/?token={SECRET}")
    assert SECRET not in caplog.text


def test_interim_answer_ends_the_connection(web):
    """What follows a 103 is never taken for the next request's answer."""

    def handler(peer):
        number = int(peer.read_request().query["n"])
        peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        peer.answer(200, b"%d" % number)
        peer.drain()

    with ScriptedServer(handler) as server:
        assert [get(web, server, f"/?n={n}").status for n in (1, 2)] == [103, 103]
        assert server.connections == 2


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
def test_content_encoding(web, coding):
    """A compressed answer comes decoded."""
    encode = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[coding]
    headers = {"Content-Encoding": coding}
    with serve(lambda _: Answer(200, encode(b"true" * 100), headers)) as server:
        assert get(web, server).body == b"true" * 100
        assert server.requests[0].headers.get("Accept-Encoding") == "gzip"


def test_largest_answer(web):
    """An answer may be as large as a document may."""
    with serve(lambda _: Answer(200, bytes(MAX_BYTES))) as server:
        assert len(get(web, server).body) == MAX_BYTES


def test_max_bytes(cancel):
    """A source whose document comes wrapped may allow for more."""
    with (
        serve(lambda _: Answer(200, bytes(90_000))) as server,
        closing(Web(max_bytes=100_000)) as web,
    ):
        assert len(get(web, server).body) == 90_000


def endless():
    while True:
        yield b"x" * 4096


@pytest.mark.parametrize("body", [bytes(MAX_BYTES + 1), endless])
def test_too_large(fails, body):
    """An answer beyond the limit is an error, and is not read to its end."""
    with serve(lambda _: Answer(200, body if isinstance(body, bytes) else body())) as server:
        assert "larger than 64 kB" in fails(server)


def test_too_large_error_page(web):
    """The status of an error page counts, however long the page; the page is cut."""
    with serve(lambda _: Answer(502, bytes(200_000))) as server:
        answer = get(web, server)
    assert (answer.status, len(answer.body)) == (502, MAX_BYTES)


@pytest.mark.parametrize("layers", [1, 2])
def test_gzip_bomb(fails, layers):
    """A body that unpacks to gigabytes costs a few hundred kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    for _ in range(layers - 1):
        bomb = gzip.compress(bomb)
    headers = {"Content-Encoding": ", ".join(["gzip"] * layers)}
    with serve(lambda _: Answer(200, bomb, headers)) as server:
        tracemalloc.start()
        try:
            # Two layers of coding are not asked for, and not taken.
            assert "larger than" in fails(server) or layers == 2
            assert tracemalloc.get_traced_memory()[1] < 4_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        ("9" * 70, None),
        ("", None),
    ],
)
def test_retry_after(web, value, seconds):
    """``retry_after`` is what the server asked for, and no nonsense; the refusal carries it."""
    with serve(lambda _: Answer(503, b"", {"Retry-After": value})) as server:
        answer = get(web, server)
        error = refusal(f"http://u:{SECRET}@127.0.0.1:{server.port}/?{SECRET}", answer)
    assert error.retry_after == answer.retry_after
    assert answer.retry_after == seconds
    assert str(error) == f"127.0.0.1:{server.port} answered 503 Service Unavailable"


def test_unknown_status(web):
    """A status that nobody knows is told as its number."""
    with serve(lambda _: Answer(599)) as server:
        assert str(refusal("http://b.test/", get(web, server))) == "b.test answered 599"


@pytest.mark.parametrize("trust", ["the CA", "any"])
def test_tls(ca_file, server_context, cancel, trust):
    """A server is believed when its authority is, or when the user wants to believe any."""
    with serve(echo, tls=server_context("127.0.0.1")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        with closing(Web(verify=ca_file if trust == "the CA" else False)) as web:
            assert web.request("GET", url, cancel=cancel).status == 200
            assert web.request("GET", url, cancel=cancel).status == 200
        assert server.connections == 1


def test_tls_with_unknown_authority(server_context, web, cancel):
    """A certificate of an authority that nobody trusts is an error that says so."""
    with serve(echo, tls=server_context("127.0.0.1")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
            web.request("GET", url, cancel=cancel)


def test_tls_with_a_directory_of_authorities(server_context, tmp_path, cancel):
    """A directory of authorities may be named; an empty one trusts nobody."""
    with serve(echo, tls=server_context("127.0.0.1")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
            Web(verify=str(tmp_path)).request("GET", url, cancel=cancel)


def test_tls_of_another_name(ca_file, server_context, cancel):
    """A certificate of another host is an error that says so."""
    with serve(echo, tls=server_context("other.test")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        with pytest.raises(SourceError, match=r"CERTIFICATE_VERIFY_FAILED: .*127\.0\.0\.1"):
            Web(verify=ca_file).request("GET", url, cancel=cancel)


def test_tls_drip_and_total(ca_file, server_context, cancel):
    """Over TLS too a request ends after ``total`` seconds."""
    with ScriptedServer(drip_body, tls=server_context("127.0.0.1")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        with pytest.raises(SourceError, match="within 1 s"):
            Web(verify=ca_file, total=1.0).request("GET", url, cancel=cancel)


@pytest.mark.parametrize("form", ["one file", "a pair"])
def test_client_certificate(form, ca_file, mutual_context, client_certificate, cancel):
    """A server that demands a certificate is shown the client's, out of one file or of two."""
    cert = client_certificate if form == "one file" else (client_certificate, client_certificate)
    with serve(echo, tls=mutual_context("127.0.0.1")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        with closing(Web(verify=ca_file, cert=cert)) as web:
            assert web.request("GET", url, cancel=cancel).status == 200
        with closing(Web(verify=ca_file)) as web, pytest.raises(SourceError):
            web.request("GET", url, cancel=cancel)


def test_key_with_a_password(ca, ca_file, mutual_context, tmp_path, cancel):
    """A key that is encrypted is an error, and never a question on the terminal."""
    issued = ca.issue_cert("client@example.test")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    path = tmp_path / "client.pem"
    path.write_bytes(encrypted + issued.cert_chain_pems[0].bytes())
    with (
        serve(echo, tls=mutual_context("127.0.0.1")) as server,
        closing(Web(verify=ca_file, cert=str(path))) as web,
        pytest.raises(SourceError),
    ):
        web.request("GET", f"https://127.0.0.1:{server.port}/", cancel=cancel)


def test_authority_is_rotated(ca_file, server_context, tmp_path, cancel):
    """A bundle that was replaced counts from the next connection on."""
    bundle = tmp_path / "ca.pem"
    import trustme

    trustme.CA().cert_pem.write_to_path(bundle)
    with (
        serve(echo, tls=server_context("127.0.0.1")) as server,
        closing(Web(verify=str(bundle))) as web,
    ):
        url = f"https://127.0.0.1:{server.port}/"
        with pytest.raises(SourceError):
            web.request("GET", url, cancel=cancel)
        bundle.write_bytes(Path(ca_file).read_bytes())
        assert web.request("GET", url, cancel=cancel).status == 200


def test_authority_that_is_gone(ca_file, server_context, tmp_path, cancel):
    """A bundle that is not there any more is an error, not the end of the process's trust."""
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(Path(ca_file).read_bytes())
    web = Web(verify=str(bundle))
    bundle.unlink()
    with pytest.raises(SourceError, match="ENOENT"):
        web.request("GET", "https://127.0.0.1:9/", cancel=cancel)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy(scheme, ca_file, server_context, cancel):
    """A proxy is asked for the whole URL, or for a tunnel, with its credentials."""
    tls = server_context("127.0.0.1") if scheme == "https" else None
    with serve(echo, tls=tls) as origin, forward_proxy(credentials=("me", "p:w")) as proxy:
        with closing(Web(proxy=f"http://me:p%3Aw@127.0.0.1:{proxy.port}", verify=ca_file)) as web:
            url = f"{scheme}://127.0.0.1:{origin.port}/a%2fb?c=%2b"
            for _ in range(2):
                assert web.request("GET", url, cancel=cancel).status == 200
        assert proxy.requests[0].target == (url if scheme == "http" else f"127.0.0.1:{origin.port}")
        assert [r.target for r in origin.requests] == ["/a%2fb?c=%2b"] * 2
        assert origin.requests[0].headers.get("Proxy-Authorization") is None


def test_proxy_that_refuses(cancel):
    """A proxy that gives no tunnel is named, its credentials are not."""
    with forward_proxy(credentials=("me", "else")) as proxy:
        web = Web(proxy=f"http://me:{SECRET}@127.0.0.1:{proxy.port}")
        with pytest.raises(SourceError) as caught:
            web.request("GET", "https://b.test/", cancel=cancel)
    assert f"b.test by 127.0.0.1:{proxy.port}: " in str(caught.value)
    assert "407" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_no_proxy_of_the_environment(web, echo_server, monkeypatch):
    """The environment's proxies are for the application's requests."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
    assert get(web, echo_server).status == 200


def lines(web, server, *, wait=5.0, cancel=None):
    url = f"http://127.0.0.1:{server.port}/watch"
    return web.lines("POST", url, body=b"{}", wait=wait, cancel=cancel or threading.Event())


def test_lines_as_they_arrive(web):
    """Each line is there when its end has come, whatever the pieces, and not before the next."""
    go_on = threading.Event()

    def pieces(peer):
        yield b"one\ntw"
        peer.wait(go_on)
        yield b"o\n"
        yield b"three\n"

    def handler(peer):
        peer.read_request()
        peer.answer(200, pieces(peer))

    with ScriptedServer(handler) as server:
        stream = lines(web, server)
        assert next(stream) == b"one"
        go_on.set()
        assert list(stream) == [b"two", b"three"]


def test_last_line_without_an_end(web):
    """What stands before the end of a whole answer is a line too: etcd ends a stream so."""
    with ScriptedServer(lambda peer: peer.read_request() and peer.answer(200, [b"1\n2"])) as server:
        assert list(lines(web, server)) == [b"1", b"2"]


def watched(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n")
    peer.drain()


def test_lines_end_after_wait(web):
    """A stream in which nothing happens ends quietly after ``wait`` seconds."""
    with ScriptedServer(watched) as server:
        began = time.monotonic()
        assert list(lines(web, server, wait=0.3)) == [b"one"]
        assert 0.2 < time.monotonic() - began < 5


def test_lines_are_cancelled(web, cancel):
    """A stream ends soon after ``cancel`` is set."""
    with ScriptedServer(watched) as server:
        stream = lines(web, server, wait=30, cancel=cancel)
        next(stream)
        cancel.set()
        with pytest.raises(SourceError, match="cancelled"):
            next(stream)


def test_closed_lines_close_the_connection(web):
    """Closing the generator closes the connection."""
    left = threading.Event()

    def handler(peer):
        watched(peer)
        left.set()

    with ScriptedServer(handler) as server:
        stream = lines(web, server)
        next(stream)
        stream.close()
        assert left.wait(5)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (lambda peer: peer.read_request() and peer.answer(401, b"no"), "answered 401 Unauthorized"),
        (lambda peer: peer.read_request() and peer.answer(200, endless()), "a line larger than"),
        (lambda peer: peer.read_request() and None, "closed"),
    ],
)
def test_lines_that_fail(web, handler, words):
    """A refusal, a line without end and a lost connection are errors in words."""
    with ScriptedServer(handler) as server, pytest.raises(SourceError, match=words):
        list(lines(web, server))


def test_broken_off_answer_is_not_read_on(web):
    """What is left of an answer that took too long is never taken for the next one."""

    def handler(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        peer.sleep(1.1)
        peer.send(b"x" * 100)
        peer.read_request()
        peer.answer(200, b"again")

    with ScriptedServer(handler) as server:
        with pytest.raises(SourceError):
            get(web, server)
        with pytest.raises(SourceError):
            get(web, server)
        assert server.connections == 2


def test_close_leaves_nothing(echo_server, open_descriptors):
    """After ``close`` no descriptor is left, whatever happened before."""
    before = open_descriptors()
    web = Web()
    get(web, echo_server)
    with pytest.raises(SourceError):
        web.request("GET", f"http://127.0.0.1:{refused_port()}/", cancel=threading.Event())
    assert open_descriptors() > before
    web.close()
    get(web, echo_server)
    gc.collect()
    # The server's own ends of the two may still be open.
    assert not web._open


def test_few_connections_are_kept(web):
    """A source with many origins keeps eight connections."""
    with ExitStack() as stack:
        for _ in range(10):
            get(web, stack.enter_context(serve(echo)))
        assert len(web._open) == 8


@pytest.mark.parametrize("tls", [False, True])
def test_after_fork(tls, ca_file, server_context):
    """A child forgets the connections without a word: the parent's go on, and it gets its own."""
    context = server_context("127.0.0.1") if tls else None
    with serve(echo, tls=context) as server, closing(Web(verify=ca_file)) as web:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}/"
        cancel = threading.Event()
        web.request("GET", url, cancel=cancel)
        (kept,) = web._open
        descriptor = kept.sock.fileno()
        pid = os.fork()
        if pid == 0:
            try:
                web.after_fork()
                gc.collect()
                with pytest.raises(OSError):
                    os.fstat(descriptor)
                done = web.request("GET", url, cancel=threading.Event()).status == 200
                os._exit(0 if done else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert web.request("GET", url, cancel=cancel).status == 200
        assert [r.connection for r in server.requests] == [1, 2, 1]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"connect": 0}, ValueError, "connect"),
        ({"total": "5"}, TypeError, "total"),
        ({"total": True}, TypeError, "total"),
        ({"total": float("nan")}, ValueError, "total"),
        ({"headers": {"X-Token": 1}}, TypeError, "X-Token"),
        ({"headers": {"X-Token": f"{SECRET}\r\nX: y"}}, ValueError, "X-Token"),
        ({"verify": "/nowhere/ca.pem"}, ValueError, "verify"),
        ({"verify": None}, TypeError, "verify"),
        ({"cert": 7}, TypeError, "cert"),
        ({"cert": ("a",)}, TypeError, "cert"),
        ({"cert": "/nowhere/client.pem"}, ValueError, "cert"),
        ({"proxy": "https://p.test"}, ValueError, "proxy"),
        ({"proxy": "p.test:3128"}, ValueError, "proxy"),
    ],
)
def test_arguments(options, error, words):
    """An argument that cannot work is refused by name, without its secret."""
    with pytest.raises(error, match=words) as caught:
        Web(**options)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://b.test/",
        "b.test/x",
        "http://",
        "http://:80/",
        "http://b.test:x/",
        "http://[::1/",
        "http://b.test/ü",
        "http://b.test/a b",
        "http://b.test/\r\nX: y",
        None,
        b"http://b.test",
    ],
)
def test_url_that_is_none(web, url, cancel):
    """What cannot be a URL is refused, without being shown."""
    with pytest.raises((TypeError, ValueError), match=r"^url must"):
        web.request("GET", url, cancel=cancel)


def test_ipv6(cancel, web):
    """An IPv6 address stands in brackets, in the URL and in the Host header."""
    with serve(echo, host="::1") as server:
        web.request("GET", f"http://[::1]:{server.port}/", cancel=cancel)
        assert server.requests[0].headers.get("Host") == f"[::1]:{server.port}"
