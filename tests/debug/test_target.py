"""Where a request goes, as rules see it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.debug.target import target


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://API.test/v1/charges?card=42#top", ("api.test", "/v1/charges")),
        ("http://user:secret@api.test:8443", ("api.test", "/")),
        ("http://[2001:DB8::1]:80/x", ("2001:db8::1", "/x")),
        ("http://api.test?next=/a/b", ("api.test", "/")),
        ("http://api.test#a/b", ("api.test", "/")),
        ("http://api.test/a#b?c/d", ("api.test", "/a")),
        ("http://api.test/a//b/", ("api.test", "/a//b/")),
        ("//api.test/a", ("", "")),
        ("http://", ("", "/")),
        ("http://user:p@ss@api.test/a", ("api.test", "/a")),
        ("api.test/v1", ("", "")),
        ("", ("", "")),
        (None, ("", "")),
    ],
)
def test_target_is_host_and_path(url, seen):
    """Rules see the host without port and userinfo, and the path without query and fragment."""
    assert target(url) == seen


@given(st.text())
def test_no_url_breaks_it(url):
    """Whatever stands where a URL should: two strings, and never a query."""
    host, path = target(f"http://{url}")
    assert "?" not in host + path
    assert target(url) == target(url)
