"""What the servers answer, by path; the same whether nginx answers or our own."""

from __future__ import annotations

BODY = b'{"id": 4711, "state": "paid", "total": "199.00", "ok": 42}'
PATH = "/orders/4711"
COOKIES_PATH = "/cookies"
LARGE_PATH = "/large-headers"
CLOSE_PATH = "/close"
DOWNLOAD_PATH = "/download"
UPLOAD_PATH = "/upload"
MEGABYTES_10 = 10 * 1000 * 1000

HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Vary", "Accept-Encoding"),
    ("X-Request-Id", "6f1c2b7e9d3a4f58"),
)
"""Besides Server, Date, Content-Length and Connection: 8 in all."""

COOKIES = (
    ("Set-Cookie", "session=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b; Path=/; HttpOnly"),
    ("Set-Cookie", "basket=4711.4712.4713; Path=/; Max-Age=86400; SameSite=Lax"),
)
LARGE = tuple((f"X-Answer-{n:02}", f"{n:02}" + "v" * 158) for n in range(48))
"""48 headers, about 8 kB."""


def answer(path: str) -> bytes:
    """Return the bytes with which our own server answers a request for ``path``."""
    body = b"\0" * MEGABYTES_10 if path == DOWNLOAD_PATH else BODY
    extra = {COOKIES_PATH: COOKIES, LARGE_PATH: LARGE}.get(path, ())
    headers = (
        ("Server", "benchmark"),
        ("Date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("Content-Length", str(len(body))),
        ("Connection", "close" if path == CLOSE_PATH else "keep-alive"),
        *HEADERS,
        *extra,
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + body
