"""What a peer is asked to do, in plain data: it crosses the border of a process as JSON."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 65536
"""Bytes of a streamed body that a peer handles at once, where it can be told."""


@dataclass(frozen=True)
class Job:
    """One kind of request.

    url          where; the path alone until the server's origin is known
    size         bytes of the answer's body
    fresh_urls   whether each request has a path and query that were never seen before
    headers      sent with each request, besides the peer's own
    payload      what a POST sends as JSON
    upload       path of the file that is streamed up
    stream       whether the answer is read in chunks instead of being held
    ca_file      whom a client trusts over https: a bundle as long as the usual one
    cookies      whether the client keeps cookies
    environment  whether the client heeds the environment's proxies
    threads      how many threads share the client
    log          path of the file that traces are written to, where it matters which
    """

    method: Literal["GET", "POST"] = "GET"
    url: str = "/orders/4711"
    size: int = 58
    fresh_urls: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    payload: dict[str, Any] | None = None
    upload: str | None = None
    stream: bool = False
    ca_file: str | None = None
    cookies: bool = False
    environment: bool = False
    threads: int = 1
    log: str | None = None

    def urls(self) -> Iterator[str]:
        """One URL for each request, without end."""
        if not self.fresh_urls:
            return itertools.repeat(self.url)
        base = self.url
        return (f"{base}/{n}/items/{n * 31}?page={n}&sort=created" for n in itertools.count(1))

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the URL."""
        return urlsplit(self.url).port or 80

    @property
    def netloc(self) -> str:
        """Host and port, as in the URL."""
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """The path of the URL."""
        return urlsplit(self.url).path

    def to_json(self) -> str:
        """Return the job on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Return the job that ``to_json`` wrote."""
        return cls(**json.loads(text))
