"""The flags that curl and httpstat have too, on real servers."""

import json
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers

from tracedclient import __version__
from tracedclient.cli import main
from tracedclient.trace.schema import from_json


def json_of(capsys, *argv, code=0):
    assert main(["stat", "--json", *argv]) == code
    return from_json(capsys.readouterr().out)


def usage_error(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        main(["stat", *argv])
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_version(capsys):
    """-v tells the version and ends well."""
    with pytest.raises(SystemExit) as end:
        main(["stat", "-v"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"tracedclient {__version__}\n"


# --- which address --------------------------------------------------------------------------------


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize(("flag", "peer"), [("-4", "127.0.0.1"), ("-6", "::1")])
def test_one_family_only(flag, peer, resolver, start, capsys):
    """-4 and -6 ask for addresses of that kind, and try no other."""
    try:
        server = start(servers.serve(servers.echo, host=peer))
    except OSError:
        pytest.skip(f"no {peer} here")
    resolver["two.test"] = ["127.0.0.1", "::1"]
    trace = json_of(capsys, flag, f"http://two.test:{server.port}/")
    assert trace.network_peer_address == peer
    assert len(trace.attempts[0].exchanges[0].connects) == 1


def test_not_both_families(capsys):
    """-4 and -6 exclude each other."""
    assert "not allowed with argument -4" in usage_error(capsys, "-4", "-6", "http://127.0.0.1:1/")


def test_an_address_that_does_not_answer_is_not_fatal(resolver, echo_server, capsys):
    """httpstat gives up when the first of two addresses refuses; the second one answers."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    trace = json_of(capsys, f"http://two.test:{echo_server.port}/")
    first, second = trace.attempts[0].exchanges[0].connects
    assert first.error is not None
    assert (second.error, trace.outcome) == (None, "ok")


# --- TLS ------------------------------------------------------------------------------------------


def test_a_client_certificate(mutual_context, ca_file, client_certificate, start, monkeypatch):
    """-E presents a certificate to a server that demands one; without it the request fails."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    server = start(servers.serve(servers.echo, tls=mutual_context("127.0.0.1")))
    assert main(["stat", "-E", client_certificate, server.url]) == 0
    assert main(["stat", server.url]) == 1


def test_a_client_certificate_that_is_none(ca_file, capsys):
    """A file that is missing, or has no key, is wrong usage: nothing is sent."""
    url = "https://127.0.0.1:1/"
    assert "argument -E/--cert: '/no/such.pem' has no" in usage_error(
        capsys, "-E", "/no/such.pem", url
    )
    assert "has no certificate with its key" in usage_error(capsys, "-E", ca_file, url)


# --- proxies and redirects ------------------------------------------------------------------------


def test_proxies_of_the_environment(server_context, ca_file, start, monkeypatch, capsys):
    """HTTPS_PROXY leads through CONNECT, a column of its own; NO_PROXY does not."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost", "127.0.0.1")))
    proxy = start(servers.forward_proxy(connect_delay=0.03))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert main(["stat", server.url]) == 0
    out = capsys.readouterr().out
    assert f"proxy {proxy.url} CONNECT {server.host_port} 200" in out
    assert re.search(r"Connection +Proxy +Handshake", out)
    assert json_of(capsys, server.url).proxy_ms >= 30
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert json_of(capsys, server.url).proxy_ms is None


def test_a_redirected_post_is_a_get(echo_server, capsys):
    """httpstat sends the body again; a 302 is followed with GET, without it (RFC 9110 §15.4.3)."""
    trace = json_of(capsys, "-L", "-d", "a=1", f"{echo_server.url}/redirect?to=/there")
    assert [request.method for request in echo_server.requests] == ["POST", "GET"]
    assert echo_server.requests[1].body == b""
    assert trace.redirect_count == 1


def test_credentials_stay_with_their_host(echo_server):
    """httpstat sends -H Authorization on to another host; here it is dropped."""
    url = f"{echo_server.url}/redirect?to=http://localhost:{echo_server.port}/there"
    main(["stat", "-L", "-H", "Authorization: Bearer T", url])
    sent = [request.headers.get("Authorization") for request in echo_server.requests]
    assert sent == ["Bearer T", None]


def test_each_hop_has_a_box(echo_server, capsys):
    """With -L every redirect is timed by itself, a kept connection without a handshake."""
    main(["stat", "-L", f"{echo_server.url}/redirect-chain/2"])
    out = capsys.readouterr().out
    assert out.count(" ms │") == 3
    assert out.count("Connection") == 1


def test_the_host_header_is_the_users(echo_server):
    """-H Host replaces the URL's host on the wire, and nowhere else."""
    assert main(["stat", "-H", "Host: other.test", echo_server.url]) == 0
    assert echo_server.requests[0].headers.get("Host") == "other.test"


def test_a_body_is_not_compulsory(echo_server):
    """httpstat demands -d for POST and PUT; an empty body is a body too."""
    assert main(["stat", "-X", "POST", echo_server.url]) == 0
    assert echo_server.requests[0].method == "POST"


# --- the body -------------------------------------------------------------------------------------


def test_the_body_is_saved(echo_server, tmp_path, capsys):
    """-o writes what the server sent, decoded, and shows the same as without it."""
    file = tmp_path / "body"
    assert main(["stat", "-o", str(file), f"{echo_server.url}/gzip"]) == 0
    assert json.loads(file.read_text())["target"] == "/gzip"
    assert "HTTP/1.1 200 OK" in capsys.readouterr().out


def test_the_body_is_saved_under_its_name(echo_server, in_tmp_path):
    """-O takes the name from the URL, without its query, in the current directory."""
    assert main(["stat", "-O", f"{echo_server.url}/bytes/70000?a=/b"]) == 0
    assert (in_tmp_path / "70000").stat().st_size == 70_000
    assert [path.name for path in in_tmp_path.iterdir()] == ["70000"]


@pytest.mark.parametrize("path", ["", "/", "/a/", "/a/..", "/.", "/a/?b=/c"])
def test_a_url_without_a_name(path, capsys, in_tmp_path):
    """-O never writes a directory, nor a file outside of this one: nothing is sent."""
    err = usage_error(capsys, "-O", f"http://127.0.0.1:1{path}")
    assert "argument -O:" in err
    assert "use -o FILE" in err


def test_an_encoded_slash_stays_in_the_name(echo_server, in_tmp_path):
    """What would lead out of the directory, were it decoded, is part of the name."""
    assert main(["stat", "-O", f"{echo_server.url}/x/..%2F..%2Fup"]) == 0
    assert [path.name for path in in_tmp_path.iterdir()] == ["..%2F..%2Fup"]


def test_a_link_is_not_followed(in_tmp_path, capsys):
    """A link of that name may lead elsewhere."""
    (in_tmp_path / "name").symlink_to("/elsewhere")
    assert "'name' is a link" in usage_error(capsys, "-O", "http://127.0.0.1:1/name")


def test_the_body_on_stdout_is_alone_there(echo_server):
    """-o - is for pipes: the body on stdout, all else on stderr."""
    command = [
        sys.executable,
        "-m",
        "tracedclient",
        "stat",
        "-o",
        "-",
        f"{echo_server.url}/bytes/9",
    ]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    assert done.stdout == b"x" * 9
    assert b"HTTP/1.1 200 OK" in done.stderr


def test_a_large_body_is_not_held_in_memory(start, tmp_path):
    """A body of 96 MB is saved by a process that may have no more than 64 MB for its data."""
    size = 96 * 2**20
    piece = b"x" * 2**20

    def large(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(piece)):
            peer.send(piece)

    server = start(servers.ScriptedServer(large))
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (64 * 2**20,) * 2);"
        "from tracedclient.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    file = tmp_path / "large"
    command = [sys.executable, "-c", code, "stat", "--json", "-o", str(file), server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert file.stat().st_size == size
    assert from_json(done.stdout).outcome == "ok"


def test_a_body_that_breaks_off_is_saved_so_far(start, tmp_path, capsys):
    """Exit code 1, what came is in the file, and the trace says that it is not all."""

    def cut(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    server = start(servers.ScriptedServer(cut))
    assert main(["stat", "-o", str(tmp_path / "body"), server.url]) == 1
    assert capsys.readouterr().out.startswith("READ ERROR")


def test_a_body_that_takes_too_long(start, tmp_path, capsys):
    """--timeout ends the saving of a body that goes on and on."""

    def endless(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not peer.closed:
            peer.send(b"4\r\nmore\r\n")
            peer.sleep(0.01)

    server = start(servers.ScriptedServer(endless))
    assert main(["stat", "--timeout", "0.2", "-o", str(tmp_path / "body"), server.url]) == 1
    captured = capsys.readouterr()
    assert "the total timeout has passed, the body is not complete" in captured.err
    assert "body not read to its end" in captured.out


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("/no/such/directory/file", "there is no directory /no/such/directory"),
        (".", "Is a directory"),
    ],
)
def test_a_file_that_cannot_be_written(file, why, echo_server, capsys):
    """Exit code 2, which file, and why, before anything is sent: a POST is not made for nothing."""
    said = usage_error(capsys, "-d", "a=1", "-o", file, echo_server.url)
    assert f"argument -o: cannot write '{file}': {why}" in said
    assert echo_server.requests == []


def test_a_disk_that_is_full(echo_server, capsys):
    """What can be opened, and then not written: exit code 2, and which file."""
    assert main(["stat", "-o", "/dev/full", echo_server.url]) == 2
    assert "tracedclient: cannot write '/dev/full': No space left" in capsys.readouterr().err


def test_a_named_pipe(tmp_path, echo_server):
    """The reader of a named pipe gets the body, whole."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        assert main(["stat", "-o", str(pipe), f"{echo_server.url}/x"]) == 0
        assert b"/x" in read.result(30)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-o", "a", "-O"], "not allowed with argument"),
        (["-o", "a", "-n", "2"], "argument -n: one body can be saved, not several"),
        (["-o", "-", "--json"], "argument -o: '-' is for the body alone"),
    ],
)
def test_what_cannot_be_meant_together(argv, message, capsys):
    """Options that contradict each other are refused before anything is sent."""
    assert message in usage_error(capsys, *argv, "http://127.0.0.1:1/a")
