import http.server
import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tracedclient.cli import main
from tracedclient.trace.schema import from_json


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5.0
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.server.seen.append((self.command, self.path, self.headers, body))
        self.server.came.set()
        getattr(self, f"path_{self.path.strip('/')}", self.path_ok)()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - http.server calls them so

    def path_ok(self, status=200, reason=None, **headers):
        self.send_response(status, reason)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ok")

    def path_missing(self):
        self.path_ok(404)

    def path_busy(self):
        self.path_ok(503 if len(self.server.seen) < 2 else 200)

    def path_moved(self):
        self.path_ok(302, Location="/there")

    def path_cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = True

    def path_evil(self):
        self.path_ok(200, "\x1b[2Jgone")

    def path_hang(self):
        self.server.released.wait(10)
        self.close_connection = True

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.came, self.released = [], threading.Event(), threading.Event()

    def handle_error(self, request, client_address):
        """Say nothing about a client that refuses our certificate."""


@contextmanager
def serving(context=None):
    with Server() as server:
        if context is not None:
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        server.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def server():
    with serving() as running:
        yield running


def usage_error(argv, capsys):
    with pytest.raises(SystemExit) as end:
        main(["stat", *argv])
    assert end.value.code == 2
    return capsys.readouterr().err


def test_stat_shows_the_request_and_its_status_line(server, capsys):
    """An answer: exit code 0, the headline first, the bar, the box, and the answer's head last."""
    assert main(["stat", f"{server.url}/ok"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"OK  GET {server.url}/ok  200")
    assert any(line.startswith("#1 GET 200") for line in lines)
    assert any(line.startswith(" ms │") for line in lines)
    assert lines[lines.index("HTTP/1.1 200 OK") + 1].startswith("Server: ")
    assert lines[-1] == "Content-Length: 2"


def test_an_error_status_is_an_answer(server, capsys):
    """A 404 is an HTTP answer: the command did its work, so the exit code is 0."""
    assert main(["stat", f"{server.url}/missing"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("HTTP ERROR")
    assert "HTTP/1.1 404 Not Found" in out


def test_a_failed_request_shows_how_far_it_came(server, capsys):
    """A body that is cut off: exit code 1, and the phases up to there are drawn."""
    assert main(["stat", f"{server.url}/cut"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("READ ERROR")
    assert "wait" in out
    assert "failed in receive" in out


def test_the_timeout_is_the_whole_calls(server, capsys):
    """A server that does not answer costs no more than --timeout seconds."""
    assert main(["stat", f"{server.url}/hang", "--timeout", "0.1"]) == 1
    assert capsys.readouterr().out.startswith("TIMEOUT")


def test_json_is_one_line_and_nothing_else(server, capsys):
    """--json prints the trace, which can be read back, and no status line."""
    assert main(["stat", "--json", "--trace-id", "abc", f"{server.url}/ok"]) == 0
    out = capsys.readouterr().out
    trace = from_json(out)
    assert out.count("\n") == 1
    assert (trace.trace_id, trace.http_response_status_code) == ("abc", 200)


def test_json_of_a_failure(server, capsys):
    """--json of a request that failed still is the trace."""
    assert main(["stat", "--json", f"{server.url}/cut"]) == 1
    assert json.loads(capsys.readouterr().out)["error_phase"] == "receive"


def test_nothing_is_logged(server, capfd):
    """stat writes to the screen, not to a log: stderr stays empty."""
    assert main(["stat", f"{server.url}/ok"]) == 0
    assert capfd.readouterr().err == ""


def test_headers_are_sent(server):
    """-H adds a header; one given twice is sent as one list."""
    main(["stat", "-H", "X-One: 1", "-H", "Accept: a", "-H", "Accept: b", f"{server.url}/ok"])
    _, _, headers, _ = server.seen[0]
    assert (headers["X-One"], headers["Accept"]) == ("1", "a, b")


def test_the_trace_id_is_sent(server):
    """--trace-id goes out with the request, so that the server's log can be searched for it."""
    main(["stat", "--trace-id", "abc", f"{server.url}/ok"])
    assert server.seen[0][2]["X-Trace-Id"] == "abc"


@pytest.mark.parametrize(
    ("argv", "method"),
    [([], "GET"), (["-I"], "HEAD"), (["-d", "a=1"], "POST"), (["-X", "PUT", "-d", "a"], "PUT")],
)
def test_the_method_follows_the_options(server, argv, method):
    """GET; HEAD with -I; POST with -d; whatever -X says."""
    assert main(["stat", *argv, f"{server.url}/ok"]) == 0
    assert server.seen[0][0] == method


def test_data_is_a_form_unless_told_otherwise(server):
    """-d sends a form as curl does; a Content-Type of the user's stays."""
    main(["stat", "-d", "a=1", f"{server.url}/ok"])
    main(["stat", "-d", "{}", "-H", "content-type: application/json", f"{server.url}/ok"])
    types = [headers["Content-Type"] for _, _, headers, _ in server.seen]
    assert types == ["application/x-www-form-urlencoded", "application/json"]
    assert [body for *_, body in server.seen] == ["a=1", "{}"]


def test_data_can_come_from_a_file(server, tmp_path):
    """-d @FILE sends the file byte for byte."""
    (tmp_path / "body").write_text("line\n")
    main(["stat", "-d", f"@{tmp_path / 'body'}", f"{server.url}/ok"])
    assert server.seen[0][3] == "line\n"


def test_data_can_come_from_stdin(server):
    """-d @- sends what is piped in."""
    command = [sys.executable, "-m", "tracedclient", "stat", "-d", "@-", f"{server.url}/ok"]
    subprocess.run(command, input=b"piped", stdout=subprocess.DEVNULL, check=True, timeout=30)
    assert server.seen[0][3] == "piped"


def test_redirects_are_followed_only_when_asked(server, capsys):
    """Without -L a redirect is the answer; with it, each hop has its bar."""
    main(["stat", f"{server.url}/moved"])
    assert "HTTP/1.1 302 Found" in capsys.readouterr().out
    main(["stat", "-L", f"{server.url}/moved"])
    out = capsys.readouterr().out
    assert "1 redirect" in out
    assert "HTTP/1.1 200 OK" in out


def test_retries_only_when_asked(server, capsys):
    """Without --retries one request is made; with it, a 503 is tried again."""
    main(["stat", f"{server.url}/busy"])
    assert len(server.seen) == 1
    server.seen.clear()
    main(["stat", "--retries", "1", f"{server.url}/busy"])
    assert len(server.seen) == 2
    assert "OK after 1 retry" in capsys.readouterr().out


def test_insecure_accepts_any_certificate(server_context, capfd):
    """A certificate of nobody's is refused; -k accepts it, without a warning."""
    with serving(server_context("127.0.0.1")) as server:
        assert main(["stat", f"{server.url}/ok"]) == 1
        assert "fault: tls" in capfd.readouterr().out
        assert main(["stat", "-k", f"{server.url}/ok"]) == 0
    captured = capfd.readouterr()
    assert "tls" in captured.out
    assert captured.err == ""


def test_a_reason_phrase_cannot_steer_the_terminal(server, capsys):
    """Control characters in the status line are shown, not sent."""
    main(["stat", f"{server.url}/evil"])
    assert r"HTTP/1.1 200 \x1b[2Jgone" in capsys.readouterr().out


def test_an_ascii_terminal_gets_ascii(server):
    """With a locale that has no block characters, the bars are drawn in ASCII."""
    command = [sys.executable, "-m", "tracedclient", "stat", f"{server.url}/ok"]
    done = subprocess.run(
        command, capture_output=True, env={"PYTHONIOENCODING": "ascii"}, check=True, timeout=30
    )
    assert b"# wait" in done.stdout


def test_ctrl_c_shows_what_was_under_way(server):
    """Ctrl-C while a server does not answer: the waterfall up to there, and exit code 130."""
    command = [sys.executable, "-m", "tracedclient", "stat", f"{server.url}/hang"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert server.came.wait(20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert out.startswith("CANCELLED")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["ftp://example.org"], "argument URL: the scheme must be http or https, not 'ftp'"),
        (["http://[::1"], "argument URL: 'http://[::1' is not a URL"),
        (["http:///path"], "argument URL: 'http:///path' names no host"),
        (["http://a:99999"], "argument URL: 'http://a:99999' is not a URL: Port out of range"),
        (["http://..a"], "URL has an invalid label."),
        (["-H", "nocolon", "http://a"], "argument -H/--header: a header is 'Name: value'"),
        (["-H", "a b: c", "http://a"], "a header's name must be an HTTP token"),
        (["-X", "G ET", "http://a"], "method"),
        (["-d", "@/no/such/file", "http://a"], "argument -d/--data: cannot read '/no/such/file'"),
        (["--timeout", "0", "http://a"], "argument --timeout: '0' is not a number of seconds"),
        (["--timeout", "x", "http://a"], "argument --timeout: 'x' is not a number of seconds"),
        (["--retries", "9", "http://a"], "argument --retries: invalid choice: 9"),
        (["--trace-id", "a b", "http://a"], "argument --trace-id: trace_id must consist of"),
    ],
)
def test_wrong_arguments_are_named(argv, message, capsys):
    """Exit code 2, and a message that says which argument is wrong and why."""
    assert message in usage_error(argv, capsys)


def test_a_url_without_a_scheme_is_https(server, capsys):
    """As httpstat has it: https, but for port 80."""
    host = server.url.removeprefix("http://")
    assert main(["stat", f"{host}/ok"]) == 1
    assert f"GET https://{host}/ok" in capsys.readouterr().out
    main(["stat", "--timeout", "0.5", "127.0.0.1:80/x"])
    assert "GET http://127.0.0.1:80/x" in capsys.readouterr().out
