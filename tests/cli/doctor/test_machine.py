"""Does ``doctor`` see what the machine and its environment are like?"""

from __future__ import annotations

import os
import resource
import ssl
import time
from email.utils import formatdate

import pytest
import servers

from tracedclient.cli.doctor.bundle import check_bundle
from tracedclient.cli.doctor.clock import check_clock, check_server
from tracedclient.cli.doctor.limits import check_cpu, check_files
from tracedclient.cli.doctor.names import check_names
from tracedclient.cli.doctor.proxies import check_proxies
from tracedclient.cli.doctor.versions import check_requirements, check_versions

URL = "https://api.example.org/v1"


def said(findings, state):
    return " | ".join(f.said for f in findings if f.state == state)


@pytest.fixture
def proxies(monkeypatch):
    """Sets variables and returns what is found of them."""

    def checked(*urls, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return list(check_proxies(os.environ, urls))

    return checked


def test_no_proxy_at_all(proxies):
    """An environment without proxies is good, and URLs are reached directly."""
    found = proxies(URL)
    assert said(found, "good") == (
        "the environment names no proxy | https://api.example.org is reached directly"
    )


def test_a_proxy_is_shown_without_its_credentials(proxies):
    """A proxy's password is shown nowhere."""
    found = proxies(
        URL,
        https_proxy="http://bob:hunter2@proxy.test:3128",
        http_proxy="bob:hunter2@other.test:3128",
        no_proxy="https://bob:hunter2@db.internal,*.bob:hunter2@x",
    )
    text = repr(found)
    assert "proxy.test:3128" in text
    assert "other.test:3128" in text
    assert "hunter2" not in text


def test_which_hosts_bypass_it(proxies):
    """For each URL is said whether it goes through the proxy, as requests would decide."""
    found = proxies(
        URL, "https://db.internal/", https_proxy="http://p.test:3128", no_proxy=".internal"
    )
    words = said(found, "good")
    assert "https://api.example.org is reached through http://p.test:3128" in words
    assert "https://db.internal is reached directly" in words
    assert "not through it: .internal" in words


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"https_proxy": "http://p.test:1", "HTTPS_PROXY": "http://q.test:1"},
            "https_proxy counts",
        ),
        ({"https_proxy": "http://p.test:1", "no_proxy": "*.internal"}, "matches no host"),
        ({"https_proxy": "http://p.test:1", "no_proxy": "https://a.internal"}, "matches no host"),
        ({"https_proxy": "http://p.test:1", "no_proxy": "*"}, "no host is reached through"),
        ({"https_proxy": "http://p.test"}, "without a port"),
        ({"HTTP_PROXY": "http://p.test:1", "REQUEST_METHOD": "GET"}, "as in CGI"),
    ],
)
def test_what_is_not_what_it_seems(proxies, variables, words):
    """Variables that do not do what they seem to are for attention."""
    assert words in said(proxies(**variables), "attention")


@pytest.mark.parametrize("url", ["ftp://p.test:21", "http://:3128", "http://p.test:port"])
def test_what_is_no_proxy(proxies, url):
    """A proxy that cannot be used is a problem."""
    assert "no proxy's URL" in said(proxies(https_proxy=url), "problem")


@pytest.fixture
def bundle(monkeypatch):
    """Sets REQUESTS_CA_BUNDLE and returns what is found of it."""

    def checked(path, **options):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        return list(check_bundle(os.environ, **options))

    return checked


def test_the_usual_bundle_is_good():
    """certifi's bundle is named, and its certificates counted."""
    (finding,) = check_bundle(os.environ)
    assert finding.state == "good"
    assert finding.facts["count"] > 50


def end_of(ca_file):
    """When the certificate in ``ca_file`` ends, in seconds since the epoch."""
    (certificate,) = ssl.create_default_context(cafile=ca_file).get_ca_certs()
    return ssl.cert_time_to_seconds(certificate["notAfter"])


@pytest.mark.parametrize(
    ("days_left", "state", "words"),
    [
        (100, "good", "1 certificate"),
        (10.5, "attention", "the next ends in 10 days"),
        (-1, "problem", "1 certificate, all expired"),
    ],
)
def test_a_bundle_of_ones_own(bundle, ca_file, days_left, state, words):
    """A bundle in a variable is named with it; what has expired, or soon will, is told."""
    found = bundle(ca_file, now=end_of(ca_file) - days_left * 86_400)
    assert said(found, state).startswith(f"REQUESTS_CA_BUNDLE={ca_file}, ")
    assert words in said(found, state)


@pytest.mark.parametrize("content", [None, b"", b"not PEM"])
def test_a_bundle_that_is_none(bundle, tmp_path, content):
    """A bundle that is missing, empty or something else is a problem."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    assert said(bundle(path), "problem")


def test_a_directory_of_certificates(bundle, tmp_path):
    """A directory needs the links by hash that OpenSSL looks for."""
    assert "under its hash" in said(bundle(tmp_path), "problem")
    (tmp_path / "0a1b2c3d.0").touch()
    assert "1 certificate" in said(bundle(tmp_path), "good")


def test_variables_that_do_nothing(monkeypatch):
    """SSL_CERT_FILE chooses nothing for requests, and whoever set it should know."""
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/own.pem")
    assert "SSL_CERT_FILE is set, and has no effect" in said(check_bundle(os.environ), "attention")


@pytest.fixture
def names(tmp_path):
    """Writes a resolv.conf and returns what is found of it."""

    def checked(text, *hosts, hosts_file=""):
        etc = tmp_path / "etc"
        etc.mkdir(exist_ok=True)
        (etc / "resolv.conf").write_text(text)
        (etc / "hosts").write_text(hosts_file)
        return list(check_names(hosts, root=tmp_path))

    return checked


def test_a_plain_resolver_is_good(names):
    """A name that is asked for as it is, of one nameserver, is good."""
    (finding,) = names("nameserver 192.0.2.53\nsearch example.org\n")
    assert finding.state == "good"
    assert "192.0.2.53" in finding.said


def test_kubernetes_ndots_are_for_attention(names):
    """With ndots:5 other names are asked for first; how many, and what to do, is said."""
    found = names(
        "nameserver 192.0.2.53\nsearch a.svc.cluster.local svc.cluster.local cluster.local\n"
        "options ndots:5\n",
        "api.example.org",
    )
    assert "up to 3 other names asked for first (ndots:5)" in said(found, "attention")


def test_long_waits_are_for_attention(names):
    """Three nameservers that may all be silent make a long wait."""
    found = names("".join(f"nameserver 192.0.2.{n}\n" for n in (1, 2, 3)))
    assert "may take 30 s" in said(found, "attention")


def test_nobody_is_asked(names):
    """attempts:0 asks no nameserver at all; a name in the hosts file needs none."""
    assert "attempts:0" in said(names("nameserver 192.0.2.1\noptions attempts:0\n"), "attention")
    found = names("nameserver 192.0.2.1\n", "db.test", hosts_file="192.0.2.7 db.test\n")
    assert "stands in the hosts file" in said(found, "attention")


def test_an_address_is_not_looked_up(names):
    """Of an IP address nothing is said: no name is looked up."""
    assert names("nameserver 192.0.2.1\n", "192.0.2.9", "2001:db8::1") == []


def test_no_resolver(tmp_path):
    """Without a resolv.conf that is said."""
    assert "no resolv.conf" in said(check_names([], root=tmp_path), "attention")


def test_the_kernels_clock_is_judged_or_left_alone():
    """Whatever the kernel knows of its clock, it is at most one finding, and no problem."""
    found = list(check_clock())
    assert len(found) <= 1
    assert not said(found, "problem")


@pytest.mark.parametrize(
    ("off", "state", "words"),
    [(0, "good", "agrees"), (-90, "attention", "s ahead of"), (90, "attention", "s behind")],
)
def test_a_servers_clock_is_compared(off, state, words):
    """A server's Date tells whether the clocks agree, and which is ahead."""

    def answer(_):
        return servers.Answer(200, headers=[("Date", formatdate(time.time() + off, usegmt=True))])

    with servers.serve(answer) as server:
        found = list(check_server(server.url))
    assert [f.check for f in found] == ["reach", "clock"]
    assert words in said(found[1:], state)


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_a_server_without_a_date(date):
    """Where no time is told, nothing is said of clocks."""
    fields = [("Date", date)] if date else []
    with servers.serve(lambda _: servers.Answer(200, headers=fields)) as server:
        assert [f.check for f in check_server(server.url)] == ["reach"]


def test_a_server_that_is_not_there():
    """A server that cannot be reached is a problem, in the verdict's words, without secrets."""
    url = f"http://bob:hunter2@127.0.0.1:{servers.refused_port()}/?token=s3cret"
    (finding,) = check_server(url)
    assert finding.state == "problem"
    assert "ECONNREFUSED" in finding.said
    assert not {"hunter2", "s3cret"} & set(repr(finding).replace("=", " ").split())
    assert "s3cret" not in repr(finding)


@pytest.mark.parametrize(
    ("soft", "state"),
    [(100, "problem"), (1024, "attention"), (65_536, "good"), (resource.RLIM_INFINITY, "good")],
)
def test_open_files(soft, state):
    """Few files are a problem, 1024 are for attention, many are good."""
    assert check_files((soft, resource.RLIM_INFINITY)).state == state


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n", "good"),
        ("nr_periods 1000\nnr_throttled 1\nthrottled_usec 9\n", "good"),
        ("nr_periods 1000\nnr_throttled 50\nthrottled_time 9\n", "attention"),
        ("nr_periods 1000\nnr_throttled 500\nthrottled_usec 9\n", "problem"),
    ],
)
def test_the_cpu_limit(tmp_path, stat, state):
    """How often the CPU limit held the container back decides."""
    (tmp_path / "cpu.stat").write_text(stat)
    missing, found = str(tmp_path / "cpu.stat.local"), str(tmp_path / "cpu.stat")
    assert [f.state for f in check_cpu([missing, found])] == [state]


def test_no_cpu_limit_is_told_nowhere(tmp_path):
    """Where no file tells it, nothing is said."""
    (tmp_path / "cpu.stat").write_text("usage_usec 7\n")
    assert list(check_cpu([str(tmp_path / "cpu.stat")])) == []


def test_this_machines_own_limits():
    """The machine's own values are read without an error."""
    assert check_files().facts["soft"]
    assert all(finding.check == "cpu" for finding in check_cpu())


def test_versions_are_named():
    """Python, OpenSSL and this package are named with their versions."""
    words = " ".join(finding.said for finding in check_versions())
    assert "Python 3." in words
    assert "OpenSSL" in words
    assert "tracedclient" in words


def test_versions_that_do_not_fit():
    """What is missing or too old is a problem, with the command that helps; extras may be missing."""
    found = list(
        check_requirements(
            [
                "requests>=2.0",
                "msgspec>=99.1",
                "no-such-package>=1.2",
                'no-such-extra>=1; extra == "report"',
            ]
        )
    )
    assert said(found, "problem").startswith("msgspec ")
    assert "no-such-package is missing" in said(found, "problem")
    assert "no-such-extra" not in repr(found)
    assert any(f.advice == "pip install 'msgspec>=99.1'" for f in found)
