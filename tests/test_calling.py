"""What an ``HTTPClient`` makes of a call's URL."""

from __future__ import annotations

import pytest

from tracedclient._calling import origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h.test", "http://h.test"),
        ("http://h.test:80/a/b", "http://h.test:80"),
        ("https://h.test?q=a@b/c", "https://h.test"),
        ("https://h.test/p?q=a@b", "https://h.test"),
        ("https://user:pass@h.test:8443/p", "https://h.test:8443"),
        ("https://user:p@ss@h.test?q", "https://h.test"),
        ("http:///p", "http://"),
        ("", "://"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, expected):
    """Calls are counted by the place that they go to, in which there are no credentials."""
    assert origin(url) == expected
