"""Which addresses may be connected to: the policy as a table."""

from __future__ import annotations

import ipaddress
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient import AddressPolicy
from tracedclient.transport.addresses import KINDS, PUBLIC, Denied, kind_of
from tracedclient.transport.dial import resolve

KIND = {
    "8.8.8.8": "public",
    "2606:4700::1111": "public",
    "127.0.0.1": "loopback",
    "127.255.1.2": "loopback",
    "::1": "loopback",
    "0.0.0.0": "loopback",
    "::": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "64:ff9b::7f00:1": "loopback",
    "2002:7f00:1::": "loopback",
    "10.1.2.3": "private",
    "172.31.0.1": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "private",
    "fd12::1": "private",
    "64:ff9b::a00:1": "private",
    "64:ff9b::808:808": "public",
    "169.254.7.7": "link-local",
    "fe80::1%eth0": "link-local",
    "169.254.169.254": "metadata",
    "::ffff:169.254.169.254": "metadata",
    "fd00:ec2::254": "metadata",
    "100.100.100.200": "metadata",
    "168.63.129.16": "metadata",
    "224.0.0.1": "special",
    "ff02::1": "special",
    "240.0.0.1": "special",
    "255.255.255.255": "special",
    "192.0.2.1": "special",
    "::127.0.0.1": "special",
}

ANY = ["public", *sorted(KINDS)]
LEADS = {
    "public": {"public"},
    "private": {"public", "private"},
    "loopback": {"public", "private", "loopback"},
    "link-local": {"public", "link-local"},
    "metadata": {"public", "metadata"},
    "special": {"public", "special"},
}
"""From which kind of address a redirect may lead to which."""

ONE_OF = {
    "public": "8.8.8.8",
    "private": "10.0.0.1",
    "loopback": "127.0.0.1",
    "link-local": "169.254.1.1",
    "metadata": "169.254.169.254",
    "special": "224.0.0.1",
}

addresses = st.ip_addresses().map(str)


@pytest.mark.parametrize(("address", "kind"), KIND.items())
def test_kind_of_an_address(address, kind):
    """An address is of one kind, whichever family carries it."""
    assert kind_of(address) == kind


@given(addresses)
def test_internal_is_whatever_is_not_public(address):
    """Each address is either public or denied by ``internal``; no third kind slips through."""
    denied = AddressPolicy(deny={"internal"}).refusal(address) is not None
    assert denied == (kind_of(address) != PUBLIC)


@given(addresses)
def test_nothing_is_denied_by_default(address):
    """It is a client of internal services: the first request may go anywhere."""
    assert AddressPolicy().refusal(address) is None


@pytest.mark.parametrize("before", ANY)
@pytest.mark.parametrize("kind", ANY)
def test_where_a_redirect_may_lead(before, kind):
    """Never further in than it came from, unless that is asked for."""
    refused = AddressPolicy().refusal(ONE_OF[kind], before) is not None
    assert refused == (kind not in LEADS[before])
    assert AddressPolicy(inward_redirects=True).refusal(ONE_OF[kind], before) is None
    assert AddressPolicy(allow={ONE_OF[kind]}).refusal(ONE_OF[kind], before) is None


def test_metadata_is_link_local_too():
    """Either word denies where clouds hand out credentials."""
    for word in ("metadata", "link-local", "internal", "169.254.0.0/16"):
        assert AddressPolicy(deny={word}).refusal("169.254.169.254") is not None


def test_what_is_allowed_is_allowed_whatever_else_is_said():
    """A network may be taken out of what is denied, and nothing else with it."""
    policy = AddressPolicy(deny={"internal"}, allow={"10.1.0.0/16", "fd12::/48"})
    assert policy.refusal("10.1.2.3") is None
    assert policy.refusal("fd12::9") is None
    assert policy.refusal("::ffff:10.1.2.3") is None
    assert policy.refusal("10.2.0.1") == "10.2.0.1 is denied"


def test_denied_addresses_are_left_out():
    """Of several addresses of a name, the permitted ones stay, in their order."""
    found = resolve("127.0.0.1", 80, None) + resolve("127.0.0.9", 80, None)
    policy = AddressPolicy(deny={"127.0.0.1"})
    assert policy.permitted("two.test", found) == found[1:]
    assert policy.permitted("none.test", []) == []
    with pytest.raises(Denied, match=r"two\.test: 127\.0\.0\.1 is denied"):
        policy.permitted("two.test", found[:1])


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"deny": "internal"}, TypeError, "deny must be a collection"),
        ({"deny": None}, TypeError, "deny must be a collection"),
        ({"allow": ipaddress.ip_network("10.0.0.0/8")}, TypeError, "allow must be a collection"),
        ({"deny": {"10.0.0.1/8"}}, ValueError, "deny must have networks"),
        ({"deny": {"intern"}}, ValueError, "not 'intern'"),
        ({"allow": {"localhost"}}, ValueError, "allow must have networks"),
        ({"inward_redirects": "no"}, TypeError, "inward_redirects must be a bool"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(settings, error, words):
    """A bad value is named when the policy is made."""
    with pytest.raises(error, match=words):
        AddressPolicy(**settings)


def test_a_policy_is_a_value():
    """Equal ones are equal, whoever made them; it survives pickling; networks may be objects."""
    network = ipaddress.ip_network("10.0.0.0/8")
    policy = AddressPolicy(deny=["internal"], allow=[network])
    assert policy == AddressPolicy(deny={"internal"}, allow={"10.0.0.0/8"})
    assert hash(policy) == hash(pickle.loads(pickle.dumps(policy)))
    assert pickle.loads(pickle.dumps(policy)).refusal("127.0.0.1") is not None
    assert repr(policy).count("_") == 1
