"""What the trace says about this machine's resolver: files, environment, the names asked for."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracedclient
from tracedclient.transport.resolver import ResolverFacts, explain, resolver_facts

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the rules are those of the GNU C library"
)

KUBERNETES = (
    "nameserver 10.96.0.10\n"
    "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
    "options ndots:5\n"
)


@pytest.fixture(autouse=True)
def _no_overrides(monkeypatch):
    monkeypatch.delenv("LOCALDOMAIN", raising=False)
    monkeypatch.delenv("RES_OPTIONS", raising=False)


@pytest.fixture
def facts_of(tmp_path):
    """Facts of a machine with these files in its ``/etc``."""

    def facts_of(conf, host="b", **files):
        etc = tmp_path / "etc"
        etc.mkdir(exist_ok=True)
        for name, text in {"resolv.conf": conf, **files}.items():
            (etc / name).write_text(text, newline="")
        return resolver_facts(host, root=tmp_path)

    return facts_of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nameserver 10.0.0.1", {"nameservers": ("10.0.0.1",)}),
        ("nameserver\t10.0.0.1 and more", {"nameservers": ("10.0.0.1",)}),
        ("nameserver fe80::1%eth0", {"nameservers": ("fe80::1%eth0",)}),
        ("nameserver 10.0.0.1%eth0", {"nameservers": ("127.0.0.1",)}),
        ("nameserver dns.example", {"nameservers": ("127.0.0.1",)}),
        ("nameserver 10.0.0.1\r", {"nameservers": ("127.0.0.1",)}),
        (" nameserver 10.0.0.1", {"nameservers": ("127.0.0.1",)}),
        ("nameservers 10.0.0.1", {"nameservers": ("127.0.0.1",)}),
        ("#nameserver 10.0.0.1\n;nameserver 10.0.0.1", {"nameservers": ("127.0.0.1",)}),
        (
            "".join(f"nameserver 10.0.0.{n}\n" for n in range(1, 6)),
            {"nameservers": ("10.0.0.1", "10.0.0.2", "10.0.0.3")},
        ),
        ("search x.test\t y.test ", {"search": ("x.test", "y.test")}),
        ("search x.test # why", {"search": ("x.test", "#", "why")}),
        ("search x.test\ndomain y.test z.test", {"search": ("y.test",)}),
        ("domain y.test\nsearch x.test", {"search": ("x.test",)}),
        ("search x.test\nsearch ", {"search": ("x.test",)}),
        ("search x.test \0 y.test", {"search": ("x.test",)}),
        ("search " + "a.test " * 40, {"search": ("a.test",) * 32}),
        ("", {"ndots": 1, "timeout": 5, "attempts": 2}),
        ("options", {"ndots": 1, "timeout": 5, "attempts": 2}),
        (
            "options rotate ndots:2 timeout:3 attempts:4",
            {"ndots": 2, "timeout": 3, "attempts": 4},
        ),
        ("options ndots:99 timeout:99 attempts:99", {"ndots": 15, "timeout": 30, "attempts": 5}),
        ("options ndots:0 timeout:0 attempts:0", {"ndots": 0, "timeout": 1, "attempts": 0}),
        ("options ndots:-3 timeout:-3 attempts:-3", {"ndots": 13, "timeout": 1, "attempts": 0}),
        ("options ndots:3x timeout: 7 attempts:x", {"ndots": 3, "timeout": 7, "attempts": 0}),
        ("options ndots:2 ndots:4 xndots:6", {"ndots": 4}),
        ("options ndots:2 timeout:4\noptions timeout:\noptions 7", {"ndots": 2, "timeout": 1}),
        ("options ndots:" + "9" * 5000, {"ndots": 15}),
    ],
)
def test_resolv_conf_is_read_as_glibc_reads_it(facts_of, line, expected):
    """Every directive means what the C library takes it to mean, mistakes included."""
    facts = facts_of(line + "\n")

    assert {field: getattr(facts, field) for field in expected} == expected


def test_the_environment_overrides_the_file(facts_of, monkeypatch):
    """``LOCALDOMAIN`` replaces the search list, ``RES_OPTIONS`` comes after the file's options."""
    monkeypatch.setenv("LOCALDOMAIN", "l.test m.test\nn.test")
    monkeypatch.setenv("RES_OPTIONS", "timeout:9")

    facts = facts_of("search x.test\noptions ndots:3 timeout:4\n")

    assert facts.search == ("l.test", "m.test")
    assert (facts.ndots, facts.timeout) == (3, 9)


@pytest.mark.parametrize(
    ("conf", "host", "tried"),
    [
        ("search x.test y.test", "b", ("b.x.test", "b.y.test", "b")),
        ("search x.test y.test", "b.c", ("b.c", "b.c.x.test", "b.c.y.test")),
        ("search x.test\noptions ndots:2", "b.c", ("b.c.x.test", "b.c")),
        ("search x.test\noptions ndots:5", "b.c.", ("b.c",)),
        ("search x.test\noptions ndots:0", "b", ("b", "b.x.test")),
        ("search .x.test y.test.", "b", ("b.x.test", "b.y.test", "b")),
        ("search x.test . y.test", "b", ("b.x.test", "b", "b.y.test")),
        ("search x.test x..y y.test", "b", ("b.x.test", "b")),
        ("search x.test .. y.test", "b", ("b.x.test", "b")),
        (f"search {'x' * 63}", "b", (f"b.{'x' * 63}", "b")),
        (f"search {'x' * 64} y.test", "b", ("b",)),
        (f"search {'x.' * 125}y", "b", (f"b.{'x.' * 125}y", "b")),
        (f"search {'x.' * 125}yy", "b", ("b",)),
        ("search x.test\noptions no-tld-query", "b", ("b.x.test",)),
        ("search x.test\noptions no-tld-query ndots:3", "b.c", ("b.c.x.test", "b.c")),
        ("search x.test", "bücher.example", ("xn--bcher-kva.example", "xn--bcher-kva.example.x.test")),
        ("search x.test\noptions attempts:0", "b", ()),
        ("search x.test", "10.0.0.1", ()),
        ("search x.test", "10.1", ()),
        ("search x.test", "fe80::1%eth0", ()),
        ("search x.test", "", ()),
        ("search x.test", "b..c", ()),
        ("search x.test", "a." * 127 + "b", ()),
    ],
)  # fmt: skip
def test_the_names_that_are_asked_for(facts_of, conf, host, tried):
    """``tried`` follows ndots and the search list, as glibc was seen to do."""
    assert facts_of(conf, host).tried == tried


def test_a_kubernetes_pod(facts_of):
    """A pod asks for four names before the one that was meant."""
    facts = facts_of(KUBERNETES, "api.example.com")

    assert facts.tried == (
        "api.example.com.shop.svc.cluster.local",
        "api.example.com.svc.cluster.local",
        "api.example.com.cluster.local",
        "api.example.com.corp.example",
        "api.example.com",
    )


@pytest.mark.parametrize(
    ("hosts", "host", "listed"),
    [
        ("127.0.0.4 c b # d", "b", True),
        ("\t::1\tB.Test", "b.tesT", True),
        ("127.0.0.4 c # b", "b", False),
        ("127.0.0.4 bb", "b", False),
        ("127.0.0.4 b", "b.", False),
        ("127.1 b", "b", False),
        ("b b", "b", False),
        ("", "b", False),
        ("#" * 65_535, "b", False),
        ("#" * 65_536, "b", None),
        ("# a comment\n" * 6000 + "127.0.0.4 b", "b", None),
        ("127.0.0.4 b\n" + "# a comment\n" * 6000, "b", True),
    ],
)
def test_the_hosts_file(facts_of, hosts, host, listed):
    """A name is in the hosts file when glibc would find it there; unread is not unlisted."""
    facts = facts_of("", host, hosts=hosts + "\n")

    assert facts.in_hosts_file is listed
    assert bool(facts.tried) is not bool(listed)


@pytest.mark.parametrize(
    ("nsswitch", "order", "asks_dns"),
    [
        ("hosts: files  dns # as usual", "files dns", False),
        ("passwd: db\n hosts :dns files", "dns files", True),
        ("hosts: files\nhosts: dns", "dns", True),
        ("hosts: myhostname", "myhostname", False),
        ("HOSTS: dns", None, False),
        ("hosts: resolve [!UNAVAIL=return] dns", "resolve [!UNAVAIL=return] dns", False),
        ("hosts: mdns4 [NOTFOUND=return] dns", "mdns4 [NOTFOUND=return] dns", False),
        (
            "hosts: mdns4_minimal [NOTFOUND=return] dns",
            "mdns4_minimal [NOTFOUND=return] dns",
            True,
        ),
    ],
)
def test_nsswitch_decides_whether_dns_is_asked(facts_of, nsswitch, order, asks_dns):
    """``tried`` is empty where the hosts file or another service has, or may have, the last word."""
    facts = facts_of("", hosts="127.0.0.4 b\n", **{"nsswitch.conf": nsswitch + "\n"})

    assert facts.hosts_order == order
    assert bool(facts.tried) is asks_dns


def test_local_names_belong_to_mdns(facts_of):
    """A ``.local`` name ends with multicast DNS, where that is configured."""
    nsswitch = "hosts: files mdns4_minimal [NOTFOUND=return] dns\n"

    assert facts_of("", "printer.local", **{"nsswitch.conf": nsswitch}).tried == ()


def test_path_and_time_of_the_file(facts_of, tmp_path):
    """The file read is named, and when it was last written, in UTC."""
    facts_of("")
    path = tmp_path / "etc" / "resolv.conf"
    os.utime(path, (0, 1_800_000_000))

    facts = resolver_facts("b", root=str(tmp_path))

    assert (facts.path, facts.mtime) == (str(path), "2027-01-15T08:00:00Z")


def test_no_file_no_facts(tmp_path):
    """Nothing is said without a resolv.conf that can be read."""
    assert resolver_facts("b", root=tmp_path) is None
    (tmp_path / "etc" / "resolv.conf").mkdir(parents=True)
    assert resolver_facts("b", root=tmp_path) is None
    assert resolver_facts("b", root="no\0path") is None


def test_a_fifo_does_not_hang(tmp_path, open_descriptors):
    """What is no regular file is not waited for, and not left open."""
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc" / "resolv.conf")
    before = open_descriptors()

    assert resolver_facts("b", root=tmp_path) is None
    assert open_descriptors() == before


def test_half_a_line_is_not_read(facts_of):
    """At the end of what is read of a huge file, a nameserver's address is not cut in two."""
    padding = "#" * (65_536 - len("\nnameserver 10.0.0.1"))

    assert facts_of(f"{padding}\nnameserver 10.0.0.12\n").nameservers == ("127.0.0.1",)
    assert facts_of(f"{padding[1:]}\nnameserver 10.0.0.1\n").nameservers == ("10.0.0.1",)


words = st.sampled_from(
    b"nameserver|search|domain|options|hosts:|files|dns|[!X=return]|ndots:|timeout:|attempts:-|10.0.0.1|"
    b"::1%|b.c|.|..|#|;|:|\0|\r|\xff|9999999999999| |  |\t|\n|\n|\n".split(b"|")
)
contents = st.binary() | st.lists(words).map(b" ".join) | st.lists(words).map(b"".join)
hosts = st.text() | st.sampled_from(
    ["b", "b.c", "b.c.", ".", "10.1", "::1", "\udcff", "b\0", "b.local"]
)
errors = st.none() | st.sampled_from(["EAI_AGAIN", "EAI_NONAME", "EAI_FAIL", ""])


@given(
    conf=contents, listed=contents, nsswitch=contents, host=hosts, seconds=st.floats(), error=errors
)  # fmt: skip
def test_no_content_makes_it_raise(
    tmp_path_factory, conf, listed, nsswitch, host, seconds, error
):  # fmt: skip
    """Whatever the files hold, there are facts, within their bounds, that fit into JSON."""
    root = tmp_path_factory.getbasetemp() / "any"
    (root / "etc").mkdir(parents=True, exist_ok=True)
    for name, content in (("resolv.conf", conf), ("hosts", listed), ("nsswitch.conf", nsswitch)):
        (root / "etc" / name).write_bytes(content)

    facts = resolver_facts(host, root=root)
    sentence = explain(facts, host, seconds, error)

    assert 1 <= len(facts.nameservers) <= 3
    assert 0 <= facts.ndots <= 15
    assert 1 <= facts.timeout <= 30
    assert 0 <= facts.attempts <= 5
    assert len(facts.tried) <= len(facts.search) + 2
    assert max(map(len, facts.tried), default=0) <= 253
    assert msgspec.json.decode(msgspec.json.encode(facts), type=ResolverFacts) == facts
    assert sentence is None or sentence.isprintable()


ONE = "nameserver 10.0.0.2\n"
TWO = ONE + "nameserver 10.0.0.3\n"
THREE = TWO + "nameserver 10.0.0.4\n"


@pytest.mark.parametrize(
    ("conf", "host", "seconds", "error", "sentence"),
    [
        (ONE, "b.", 5.02, None,
         "a query went unanswered for 5 s (timeout:5): nameserver 10.0.0.2 did not answer"),
        (TWO, "b.", 5.4, "EAI_NONAME",
         "a query went unanswered for 5 s (timeout:5): nameserver 10.0.0.2 (or one of 2) did not answer"),
        (THREE, "b.", 8.0, None,
         "2 queries went unanswered for 8 s (timeout:5): nameserver 10.0.0.2 (or one of 3) did not answer"),
        (ONE, "b.", 10.01, "EAI_AGAIN", "no nameserver answered in 10 s: 10.0.0.2"),
        (TWO + "options timeout:3", "b.", 12.015, "EAI_AGAIN",
         "no nameserver answered in 12 s: 10.0.0.2, 10.0.0.3"),
        (ONE + "search x.test\noptions timeout:1", "b.c", 4.01, "EAI_AGAIN",
         "no nameserver answered in 4 s: 10.0.0.2"),
        (TWO + "search x.test\noptions timeout:2", "b.c", 4.01, "EAI_NONAME",
         "2 queries probably went unanswered for 4 s (timeout:2): nameserver 10.0.0.2 (or one of 2) did not answer"),
        (ONE + "options attempts:3", "b.", 15.0, "EAI_AGAIN", "no nameserver answered in 15 s: 10.0.0.2"),
        (ONE + "search x.test y.test", "b.c", 15.1, "EAI_NONAME",
         "3 queries probably went unanswered for 15 s (timeout:5): nameserver 10.0.0.2 did not answer"),
        (ONE + "search x.test", "b.c", 20.0, "EAI_NONAME", None),
        (ONE, "b.", 4.9, None, None),
        (ONE, "b.", 5.6, None, None),
        (ONE, "b.", 0.0, "EAI_AGAIN", None),
        (KUBERNETES, "api.example.com", 0.3, None,
         "2 dots < ndots:5: up to 4 search suffixes tried first (Kubernetes)"),
        (KUBERNETES, "b.internal", 0.3, "EAI_NONAME",
         "EAI_NONAME after 4 search suffixes (1 dot < ndots:5)"),
        (KUBERNETES, "b.internal", 0.3, "EAI_NODATA",
         "EAI_NODATA after 4 search suffixes (1 dot < ndots:5)"),
        (KUBERNETES, "b.internal.", 0.3, "EAI_NONAME", None),
        (KUBERNETES, "api.example.com", 5.1, None,
         ("a query probably went unanswered for 5 s (timeout:5): nameserver 10.96.0.10 did not answer; "
          "2 dots < ndots:5: up to 4 search suffixes tried first (Kubernetes)")),
        (ONE + "search x.test", "b", 0.6, "EAI_AGAIN", "0 dots < ndots:1: up to 1 search suffix tried first"),
        (ONE + "search x.test", "b.c", 0.6, "EAI_NONAME", None),
        (ONE + "search x.test\noptions no-tld-query", "b", 0.6, "EAI_NONAME",
         "EAI_NONAME after 1 search suffix (0 dots < ndots:1)"),
        (ONE, "listed", 5.0, None, "from the hosts file"),
        (ONE, "listed", 5.0, "EAI_NONAME", None),
        (ONE, "10.0.0.9", 5.0, None, None),
    ],
)  # fmt: skip
def test_the_sentence(facts_of, conf, host, seconds, error, sentence):
    """The sentence says what the numbers show, and nothing when they show nothing."""
    facts = facts_of(conf, host, hosts="127.0.0.4 listed\n")

    assert explain(facts, host, seconds, error) == sentence


# Answers NXDOMAIN to each query that comes to 127.0.0.1, and none that comes to 127.0.0.2.
LOOKUP = """
import json, socket, sys, threading, time

import msgspec
from tracedclient.transport.resolver import explain, resolver_facts

asked = []

def serve(server):
    while True:
        query, client = server.recvfrom(512)
        labels, at = [], 12
        while size := query[at]:
            labels.append(query[at + 1 : at + 1 + size].decode())
            at += 1 + size
        if query[at + 1 : at + 3] == bytes([0, 1]):  # A, not AAAA
            asked.append(".".join(labels))
        question = query[12 : at + 5]
        server.sendto(query[:2] + bytes([0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]) + question, client)

silent, server = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
silent.bind(("127.0.0.2", 53))
server.bind(("127.0.0.1", 53))
threading.Thread(target=serve, args=(server,), daemon=True).start()
host, hostname = sys.argv[1:]
socket.sethostname(hostname)
error = None
start = time.monotonic()
try:
    socket.getaddrinfo(host, 80)
except socket.gaierror as failure:
    error = {socket.EAI_NONAME: "EAI_NONAME", socket.EAI_AGAIN: "EAI_AGAIN"}[failure.errno]
seconds = round(time.monotonic() - start)  # a busy machine adds to it
facts = resolver_facts(host)
print(json.dumps({
    "asked": asked,
    "facts": msgspec.to_builtins(facts),
    "sentence": explain(facts, host, seconds, error),
}))
"""


def _run(*command, check=True, **options):
    return subprocess.run(
        command, check=check, capture_output=True, text=True, timeout=30, **options
    )


def _why_no_namespaces():
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "network namespaces take root on Linux"
    if not shutil.which("ip") or not shutil.which("unshare"):
        return "no `ip` (iproute2) or no `unshare` (util-linux) on this machine"
    if _run("unshare", "--net", "--mount", "--uts", "true", check=False).returncode:
        return "root may not make namespaces on this machine"
    return ""


_REASON = _why_no_namespaces()
needs_namespaces = pytest.mark.skipif(bool(_REASON), reason=_REASON)


@pytest.fixture(scope="module")
def namespace():
    """Name and ``/etc/netns`` directory of a network with nothing but its loopback."""
    name = f"resolver-test-{os.getpid()}"
    etc = Path("/etc/netns", name)
    first = not etc.parent.exists()
    try:
        etc.mkdir(parents=True)
        _run("ip", "netns", "add", name)
        _run("ip", "-n", name, "link", "set", "lo", "up")
        yield name, etc
    finally:
        _run("ip", "netns", "delete", name, check=False)
        shutil.rmtree(etc, ignore_errors=True)
        if first:
            with suppress(OSError):  # another run's namespace is in it
                etc.parent.rmdir()


@pytest.fixture
def look_up(namespace):
    """Looks a name up in the namespace, whose machine has these files in its ``/etc``."""
    name, etc = namespace

    def look_up(host, *, hostname="box", env=None, **files):
        for file in ("resolv.conf", "hosts", "nsswitch.conf"):
            (etc / file).write_text(files.get(file, ""))
        packages = str(Path(tracedclient.__file__).parents[1])
        python = ("unshare", "--uts", sys.executable, "-c", LOOKUP, host, hostname)
        environment = {**os.environ, "PYTHONPATH": packages, **(env or {})}
        run = _run("ip", "netns", "exec", name, *python, env=environment)
        return json.loads(run.stdout)

    return look_up


SERVER = "nameserver 127.0.0.1\n"
PODS = SERVER + "search shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"


@needs_namespaces
@pytest.mark.parametrize(
    ("host", "machine", "asked"),
    [
        ("b.internal", {"resolv.conf": PODS}, 4),
        ("b.internal.", {"resolv.conf": PODS}, 1),
        ("b.internal", {"resolv.conf": SERVER + "search x.test . y.test\n"}, 4),
        ("b", {"resolv.conf": SERVER + "search x.test x..y y.test\noptions no-tld-query\n"}, 1),
        ("b", {"resolv.conf": "", "hostname": "box.corp.test"}, 2),
        ("b", {"resolv.conf": "options no-tld-query\n", "hostname": "box"}, 1),
        ("b.c", {"resolv.conf": PODS, "env": {"LOCALDOMAIN": "", "RES_OPTIONS": "ndots:2"}}, 1),
        ("b", {"resolv.conf": PODS, "hosts": "127.0.0.4 a b\n"}, 0),
        ("b", {"resolv.conf": PODS, "hosts": "127.0.0.4 b\n", "nsswitch.conf": "hosts: dns\n"}, 4),
    ],
)
def test_a_real_nameserver_sees_the_names_that_were_told(look_up, host, machine, asked):
    """What arrives at a nameserver is ``tried``: name by name, in that order."""
    seen = look_up(host, **machine)

    assert seen["asked"] == seen["facts"]["tried"]
    assert len(seen["asked"]) == asked


@needs_namespaces
def test_the_domain_of_the_machine_is_searched(look_up):
    """Without a search list glibc takes what follows the first dot of the machine's own name."""
    assert look_up("b", hostname="box.corp.test")["facts"]["search"] == ["corp.test"]
    assert look_up("b", hostname="box")["facts"]["search"] == []


@needs_namespaces
def test_a_real_nonexistent_name_in_a_pod(look_up):
    """The reason for a name's failure in Kubernetes is said with the suffixes it went through."""
    seen = look_up("b.internal", **{"resolv.conf": PODS})

    assert seen["sentence"] == "EAI_NONAME after 3 search suffixes (1 dot < ndots:5)"


@needs_namespaces
@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ("127.0.0.1",
         "a query went unanswered for 1 s (timeout:1): nameserver 127.0.0.2 (or one of 2) did not answer"),
        ("127.0.0.2", "no nameserver answered in 2 s: 127.0.0.2, 127.0.0.2"),
    ],
)  # fmt: skip
def test_a_real_silent_nameserver_is_named(look_up, second, sentence):
    """A lookup that took the resolver's timeout is explained by it."""
    conf = f"nameserver 127.0.0.2\nnameserver {second}\noptions timeout:1 attempts:1\n"

    assert look_up("b.", **{"resolv.conf": conf})["sentence"] == sentence
