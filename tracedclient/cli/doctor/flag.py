"""The debug flag's source: is it reachable, and is what it has in order and in force."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tracedclient.cli.doctor.finding import attention, good, problem
from tracedclient.cli.flag_places import APOLLO_ACCESS_KEY, AUTHORIZATION, ETCD_PASSWORD
from tracedclient.cli.flag_words import headline, is_on
from tracedclient.debug import ApolloSource, EnvSource, FileSource, HTTPSource
from tracedclient.debug.document import FlagDocument, InvalidDocument, decode
from tracedclient.debug.source import Document, SourceError
from tracedclient.debug.sources.etcd import EtcdSource
from tracedclient.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.cli.doctor.finding import Finding
    from tracedclient.debug.source import FlagSource

SPELLINGS = (
    "file:PATH, http://…, https://…, etcd:URL[?key=K&user=U], "
    "apollo:META_URL?app_id=ID[&cluster=&namespace=&key=&label=], env"
)
_SLOW_S = 1.0


def source_of(text: str) -> FlagSource:
    """Return the source that ``text`` names, in one of ``SPELLINGS``.

    Raises ``ValueError`` for what is none.
    """
    kind, _, rest = text.partition(":")
    make = _KINDS.get(kind)
    if make is None or not (rest or kind == "env"):
        raise ValueError(f"must be one of {SPELLINGS}")
    try:
        return make(text if kind.startswith("http") else rest)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _http(url: str) -> FlagSource:
    authorization = os.environ.get(AUTHORIZATION)
    return HTTPSource(url, headers={"Authorization": authorization} if authorization else {})


def _etcd(text: str) -> FlagSource:
    url, options = _options(text, {"key", "user"})
    return EtcdSource(url, password=os.environ.get(ETCD_PASSWORD), **options)


def _apollo(text: str) -> FlagSource:
    url, options = _options(text, {"app_id", "cluster", "namespace", "key", "label"})
    if "app_id" not in options:
        raise ValueError("apollo: needs ?app_id=ID")
    return ApolloSource(meta=url, access_key=os.environ.get(APOLLO_ACCESS_KEY), **options)


def _options(text: str, known: set[str]) -> tuple[str, dict[str, Any]]:
    url, _, query = text.partition("?")
    options = dict(parse_qsl(query))
    if unknown := sorted(options.keys() - known):
        raise ValueError(f"knows no {', '.join(unknown)}, but {', '.join(sorted(known))}")
    return url, options


_KINDS: dict[str, Callable[[str], FlagSource]] = {
    "file": FileSource,
    "http": _http,
    "https": _http,
    "etcd": _etcd,
    "apollo": _apollo,
    "env": lambda _: EnvSource(),
}


def check_flag(source: FlagSource) -> Finding:
    """Ask ``source`` once, as a service does, and close it."""
    began = time.monotonic()
    try:
        fetched = source.fetch(None, wait=0.0, cancel=threading.Event())
    except SourceError as error:
        return _unreachable(source, str(error))
    except Exception as error:  # noqa: BLE001 - a source may raise anything, as the updater knows
        return _unreachable(source, type(error).__name__)
    finally:
        source.close()
    took = time.monotonic() - began
    if not isinstance(fetched, Document):
        said = f"{source.name}: reachable, and has no document; debug is off"
        return good("flag", said, on=False)
    return _judged(source.name, fetched, took)


def _unreachable(source: FlagSource, why: str) -> Finding:
    advice = "check its address, this machine's network and the credentials; until then the last good flag stays"
    return problem("flag", f"{source.name}: {redact_text(why)}", advice)


def _judged(name: str, fetched: Document, took: float) -> Finding:
    now = time.time()
    try:
        document = decode(fetched.body)
    except InvalidDocument as error:
        advice = "correct the document (tracedclient flag check); running services keep the last good one"
        return problem("flag", f"{name}: {error}", advice)
    facts = {"on": is_on(document, now), "revision": fetched.revision, "took_s": round(took, 3)}
    said = f"{name}: {headline(document, now)}"
    if isinstance(document, FlagDocument) and document.enabled and not facts["on"]:
        return attention("flag", said, "publish it with a later `until` to trace again", **facts)
    if took > _SLOW_S:
        return attention("flag", f"{said}; it took {took:.1f} s to answer", _SLOW, **facts)
    return good("flag", said, **facts)


_SLOW = "see what is between this machine and the source; a switch is seen later"
