"""What may be shown: a canary in every place where a secret can be."""

from __future__ import annotations

import re
import time
import unicodedata
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tracedclient.redaction import REDACTED, printable, redact_text, redact_url

CANARY = "s3cr3tCanary"

# What passwords and tokens are made of, and what ends the parts of a URL when it is not encoded.
nasty = st.text(
    st.sampled_from("aZ9/?#@:&=;%+'\"<>()[]{}|\\^`~,.!* \t\n\0é\u00a0\u2028\N{PILE OF POO}")
)
secrets = st.builds(lambda before, after: f"{before}{CANARY}{after}", nasty, nasty)
hosts = st.sampled_from(["api.test", "api.test:8443", "192.0.2.7", "[2001:db8::7]:80", ""])
schemes = st.sampled_from(["https://", "HTTP://", "socks5h://", "//"])


def leaks(text):
    # Whatever the number of times it was encoded.
    return CANARY.lower() in unquote(unquote(text)).lower()


def names_another_host(password):
    # "http://user:80/…@api" asks the host "user", and "http://user:x@other/…@api" the host "other".
    return re.match(r"[0-9]+[/?#]|[^/?#]*@[^/?#]*[/?#]", password) is not None


# --- URLs -----------------------------------------------------------------------------------------


@given(schemes, st.sampled_from(["user", "us@er", ""]), secrets, hosts)
def test_password_never_survives(scheme, user, password, host):
    """No password is shown, raw delimiters in it or not, in a URL or in a text around one."""
    assume(not names_another_host(password))
    url = f"{scheme}{user}:{password}@{host}/v1/orders?page=2#top"
    assert not leaks(redact_url(url))
    if " " not in url:
        assert not leaks(redact_text(f"cannot reach '{url}', gave up"))


@given(schemes, secrets, hosts)
def test_encoded_userinfo_never_survives(scheme, secret, host):
    """No userinfo is shown, be it a user, a password, or a token alone."""
    encoded = quote(secret, safe="")
    for userinfo in (encoded, f"{encoded}:x", f"u:{encoded}"):
        url = f"{scheme}{userinfo}@{host}/v1"
        assert not leaks(redact_url(url))
        assert not leaks(redact_text(f"proxy={url} refused"))


@given(schemes, st.sampled_from(["token", "q", "", "a%5Bb%5D"]), secrets, hosts)
def test_query_values_never_survive(scheme, name, value, host):
    """No value of a query is shown, whatever its name; nor is a query that is only a value."""
    assume("&" not in value.split("=")[0])
    raw = value.replace("#", "").replace("&", "")
    for query in (f"{name}={quote(value)}", f"{name}={raw}", f"x=1&{name}={raw}", quote(value)):
        url = f"{scheme}{host}/v1?{query}&y=2"
        assert not leaks(redact_url(url))
        if " " not in url:
            assert not leaks(redact_text(f'asked "{url}" in vain'))
            assert not leaks(redact_text(f"Max retries exceeded with url: /v1?{query} (Caused by"))


@given(schemes, st.sampled_from(["jsessionid", "token", "", "v.1"]), secrets, hosts)
def test_parameters_of_a_path_never_survive(scheme, name, value, host):
    """No value of a path's parameter is shown, in no segment; nor is one that is only a value."""
    raw = re.sub("[/?#=;@]", "", value)
    for parameter in (f"{name}={quote(value, safe='')}", f"{name}={raw}", quote(value, safe="")):
        for path in (f"/v1;{parameter}", f"/v1;a=b;{parameter}/orders", f"/v1;{parameter};c?d=e#f"):
            assert not leaks(redact_url(f"{scheme}{host}{path}"))
            assert not leaks(redact_url(path))
            if " " not in path:
                assert not leaks(redact_text(f"asked '{scheme}{host}{path}' in vain"))
                assert not leaks(redact_text(f"exceeded with url: {path} (Caused by"))


def test_long_path_is_redacted_in_no_time():
    """A path of a million characters, which a peer may have written, takes no longer than its length."""
    began = time.monotonic()
    for path in ("/" + "a" * 10**6, "/;" * 10**6, "/" + ";" * 10**6, "/" + ";=" * 10**6):
        redact_url(f"https://api.test{path};a=b")
        redact_text(f"asked {path};a=b")
    assert time.monotonic() - began < 30


@given(schemes, secrets, hosts)
def test_fragment_never_survives(scheme, fragment, host):
    """No fragment is shown: one-time links carry their secret there."""
    for url in (f"{scheme}{host}/v1#{fragment}", f"{scheme}{host}?a=1#{quote(fragment)}"):
        assert not leaks(redact_url(url))
        if " " not in url:
            assert not leaks(redact_text(f"opened {url} twice"))


@pytest.mark.parametrize(
    "url",
    [
        f"user:{CANARY}@api.test/v1",
        f"https:user:{CANARY}@api.test/v1",
        f"https:/user:{CANARY}@api.test/v1",
        f"https:///user:{CANARY}@api.test/v1",
        f"https:\\\\user:{CANARY}@api.test/v1",
        f" https://user:{CANARY}@api.test/v1",
        f"https://user:pa/{CANARY}@api.test",
        f"https://user:pa#{CANARY}@api.test",
        f"https://user:pa?{CANARY}@api.test",
        f"https://user:{CANARY}/ss@api.test",
        f"https://user:/{CANARY}@api.test",
        f"https://{CANARY}@[2001:db8::7",
        f"https://[2001:db8::7#{CANARY}",
        f"https://user:{CANARY}@exa\u2100mple.test/",
        f"https://gateway.test/https://user:{CANARY}@api.test/v1",
    ],
)
def test_malformed_urls_leak_nothing(url):
    """A URL that its author got wrong shows no secret either."""
    assert not leaks(redact_url(url))
    assert not leaks(redact_text(f"bad url {url.lstrip()} given"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.test/v1/orders", "https://api.test/v1/orders"),
        ("https://api.test", "https://api.test"),
        ("https://api.test:8443/@me/a:b?x", f"https://api.test:8443/@me/a:b?{REDACTED}"),
        ("http://[2001:db8::7]:80/?q=1", f"http://[2001:db8::7]:80/?q={REDACTED}"),
        ("https://u:p@api.test/", f"https://{REDACTED}@api.test/"),
        ("https://api.test/?a=1&b=&c", f"https://api.test/?a={REDACTED}&b={REDACTED}&{REDACTED}"),
        ("https://api.test:port/x?a=1", f"https://api.test:port/x?a={REDACTED}"),
        ("https://[2001:db8::7/x", "https://[2001:db8::7/x"),
        ("https://user:pa/ss@api.test/v1", f"https://{REDACTED}@"),
        ("user:pass@api.test/v1", REDACTED),
        ("/v1/orders?page=2", f"/v1/orders?page={REDACTED}"),
        (
            "https://api.test/a;v=1/b;x;;y=",
            f"https://api.test/a;v={REDACTED}/b;{REDACTED};{REDACTED};y={REDACTED}",
        ),
        ("https://api.test/;a?b=;c", f"https://api.test/;{REDACTED}?b={REDACTED}"),
        (f"https://api.test/https://u:p;{CANARY}@b.test/", f"https://api.test/https://{REDACTED}/"),
        ("example.com/v1", "example.com/v1"),
        ("localhost:8080/v1", "localhost:8080/v1"),
        ("", ""),
    ],
)
def test_the_rest_of_a_url_is_shown(url, shown):
    """Scheme, host, port, path and the names of the query stay as they are: they tell calls apart."""
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


@given(st.text())
def test_any_url_becomes_one_printable_line_of_bounded_length(url):
    """Whatever is taken for a URL, the result is one line of at most 2,048 characters."""
    shown = redact_url(url)
    assert len(shown) <= 2048
    assert shown == printable(shown)


def test_long_url_is_cut_after_it_is_redacted():
    """A URL is redacted before it is cut: no cut leaves half of a password without its @."""
    shown = redact_url(f"https://user:{CANARY * 400}@api.test/{'p' * 4000}")
    assert len(shown) == 2048
    assert shown.startswith(f"https://{REDACTED}@api.test/ppp")
    assert shown.endswith("…")
    assert len(redact_text("word " * 500)) == 512
    longest = f"https://api.test/{'p' * 2031}"
    assert redact_url(longest) == longest


# --- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"set-cookie: sid={CANARY}; Path=/",
        f"got {{'X-Api-Key': '{CANARY}'}}",
        f"api_key={CANARY}",
        f"access_token={CANARY}",
        f"client_secret={CANARY}",
        f"PASSWORD={CANARY}",
        f"Basic {CANARY}",
        f"authorization\n: {CANARY}",
        f"user:{CANARY}@proxy.test:3128 refused",
        f"user:pa'ss{CANARY}@proxy.test refused",
    ],
)
def test_credentials_in_texts_are_cut(text):
    """What follows the name of a credential, or stands before an @, is not shown."""
    assert not leaks(redact_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "ECONNREFUSED: Connection refused",
        "CERTIFICATE_VERIFY_FAILED: Basic Constraints of CA cert not marked critical",
        "Hostname mismatch, certificate is not valid for 'api.test'.",
        "EAI_NONAME: Name or service not known",
        "Remote end closed connection without response",
    ],
)
def test_the_networks_own_words_are_shown(text):
    """What the operating system and OpenSSL say stays as it is."""
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "piece", ["://", "a:", "?", "@", "#", "://a:b@", "a", ":", "[:", "?a=", "a@", "token", "&", "%"]
)
def test_no_text_takes_long(piece):
    """Time grows with the length and not with its square: a peer cannot keep us busy."""
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    redact_text(text)
    redact_url(text)
    redact_url(f"http://{text}")
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "cannot reach https://u:p@api.test/x?q=1#top now",
            f"cannot reach https://{REDACTED}@api.test/x?q={REDACTED} now",
        ),
        ("with url: /v1?a=1&b=2#top (Caused", f"with url: /v1?a={REDACTED}&b={REDACTED} (Caused"),
        ("Cookie: a=1; b=2", f"Cookie {REDACTED}"),
    ],
)
def test_the_rest_of_a_text_is_shown(text, shown):
    """A text stays readable around what is redacted in it."""
    assert redact_text(text) == shown


# --- printable ------------------------------------------------------------------------------------


@given(
    st.text(st.characters())
    | st.text(st.sampled_from("a\0\n\r\t\x1b\x7f\x85\x9b\u2028\ud800\udfff"))
)
def test_printable_text_can_neither_forge_a_line_nor_break_an_encoder(text):
    """No control character, line separator or lone surrogate is left, and the rest is untouched."""
    shown, unprintable = printable(text), {"Cc", "Cs", "Zl", "Zp"}
    assert {unicodedata.category(char) for char in shown}.isdisjoint(unprintable)
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    assert printable(shown) == shown
    assert shown == text or {unicodedata.category(char) for char in text} & unprintable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r", "a\\x0ab\\x0d"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b", "\\x9b"),
        ("\u2028\udc80", "\\u2028\\udc80"),
        ("naïve \N{PILE OF POO} 日本", "naïve \N{PILE OF POO} 日本"),
    ],
)
def test_printable_shows_what_was_there(text, shown):
    """What cannot be shown stands there as its code; other scripts stay."""
    assert printable(text) == shown
