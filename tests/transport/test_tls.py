"""The contexts: one per setting, renewed when their files change."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tracedclient.errors import UnusableTLSFile
from tracedclient.transport.tls import RECHECK_SECONDS, TLSContexts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bundle(ca_file, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(ca_file).read_bytes())
    return path


def test_one_setting_has_one_context(bundle):
    """The CA bundle is parsed once, not for every connection."""
    contexts = TLSContexts()

    assert contexts.context(str(bundle), None) is contexts.context(str(bundle), None)
    assert contexts.context(str(bundle), None) is not contexts.context(False, None)


def test_a_rotated_bundle_is_read_again(bundle, clock):
    """A bundle replaced in place is picked up within a minute, without a new client."""
    contexts = TLSContexts(clock)
    first = contexts.context(str(bundle), None)
    clock.now += RECHECK_SECONDS
    assert contexts.context(str(bundle), None) is first

    bundle.write_bytes(bundle.read_bytes() + b"\n")

    assert contexts.context(str(bundle), None) is first
    clock.now += RECHECK_SECONDS
    assert contexts.context(str(bundle), None) is not first


@pytest.mark.parametrize("spoilt", [b"", b"-----BEGIN CERTIFICATE-----\nMII", None])
def test_a_rotation_under_way_harms_no_request(bundle, clock, caplog, spoilt):
    """A bundle that is half written, or gone for a moment, is read once it can be; until then the
    former one serves, and that is said.
    """
    contexts = TLSContexts(clock)
    first = contexts.context(str(bundle), None)
    whole = bundle.read_bytes()
    bundle.write_bytes(spoilt or b"")
    if spoilt is None:
        bundle.unlink()
    clock.now += RECHECK_SECONDS
    assert contexts.context(str(bundle), None) is first
    assert "what was there before is used" in caplog.text

    bundle.write_bytes(whole + b"\n")
    clock.now += RECHECK_SECONDS
    assert contexts.context(str(bundle), None) is not first


def test_a_missing_bundle_is_named(tmp_path):
    """A bundle that is not there is an ``SSLError``, as such an ``OSError`` too, with its path."""
    with pytest.raises(UnusableTLSFile, match=r"verify: '.*nothing\.pem' cannot be used: No such"):
        TLSContexts().context(str(tmp_path / "nothing.pem"), None)
    assert issubclass(UnusableTLSFile, requests.exceptions.SSLError)
    assert issubclass(UnusableTLSFile, OSError)


def test_a_certificate_that_is_none_is_named(tmp_path):
    """So is a file that holds something else."""
    file = tmp_path / "client.pem"
    file.write_text("hello")
    with pytest.raises(UnusableTLSFile, match=r"cert: '.*client\.pem' cannot be used: \[SSL\]"):
        TLSContexts().context(False, (str(file), None))


def test_a_directory_of_authorities_is_accepted(tmp_path):
    """``verify`` may be a directory, as in requests."""
    assert TLSContexts().context(str(tmp_path), None).verify_mode.name == "CERT_REQUIRED"
