"""How this machine resolves names: what to know when a lookup was slow or failed.

``getaddrinfo`` says neither whom it asked nor for which names. The GNU C library takes both from
files that can be read again afterwards, by the rules of resolv.conf(5), hosts(5) and
nsswitch.conf(5), glibc 2.26 and later; where they are silent, by what glibc was seen to do. Other
C libraries have rules of their own: for them nothing is said.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import time
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_BYTES = 65_536
_MAX_SUFFIXES = 32  # glibc has no limit, Kubernetes has this one, and a log line needs one
_MAX_NAME = 253

_DIRECTIVE = re.compile(rb"(nameserver|search|domain|options)[ \t]+([^ \t].*)", re.DOTALL)
_HOSTS_LINE = re.compile(rb"\s*hosts\s*:(.*)", re.DOTALL)
_ONLY_FOR_LOCAL = re.compile(r"mdns[46]?_minimal \[notfound=return\]")
_NO_TLD_QUERY = re.compile(rb"(?<![^ \t\0])no[-_]tld[-_]query")


class ResolverFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The resolver's configuration, and what it means for one name."""

    nameservers: tuple[str, ...]
    """At most three, as glibc uses; ``127.0.0.1`` where the file has none."""
    search: tuple[str, ...]
    """The first 32 suffixes."""
    ndots: int
    timeout: int
    """Seconds that the first nameserver has for one answer."""
    attempts: int
    """Rounds through the nameservers. With 0, glibc asks none of them."""
    in_hosts_file: bool | None
    """``None``: not in the first 64 kB of the file, which is longer."""
    tried: tuple[str, ...]
    """The names to ask a nameserver for, in order, until one has an answer; without final dots.
    Empty when none is asked (an address, a name in the hosts file), and when it is not known
    which: another service of the ``hosts:`` line may answer in DNS's place."""
    hosts_order: str | None
    """The ``hosts:`` line of nsswitch.conf; without one, glibc takes ``files dns``."""
    path: str
    """The resolv.conf that was read."""
    mtime: str
    """When that file was last written, UTC, ``2026-11-20T22:27:58Z``."""


def resolver_facts(host: str, *, root: str | os.PathLike[str] = "/") -> ResolverFacts | None:
    """Return how this process looks up ``host``, by the files in ``etc`` under ``root`` and by
    the environment variables ``LOCALDOMAIN`` and ``RES_OPTIONS``.

    ``None`` without a readable resolv.conf, and where the C library is not glibc. Never raises.
    The files are read as they are now; they may have changed since the lookup (see ``mtime``).
    """
    etc = Path(root) / "etc"
    conf = _read(etc / "resolv.conf") if _is_glibc() else None
    if conf is None:
        return None
    name = _ascii(host)
    directives = [match.groups() for match in map(_DIRECTIVE.match, conf.lines) if match]
    options = _options(directives)
    facts = ResolverFacts(
        nameservers=_nameservers(directives),
        search=tuple(map(_text, _search(directives)[:_MAX_SUFFIXES])),
        # C keeps four bits, and of a negative number the lowest four.
        ndots=min(_option(options, b"ndots", 1), 15) & 15,
        timeout=max(min(_option(options, b"timeout", 5), 30), 1),
        attempts=max(min(_option(options, b"attempts", 2), 5), 0),
        in_hosts_file=_is_listed(name, _read(etc / "hosts")),
        tried=(),
        hosts_order=_hosts_order(_read(etc / "nsswitch.conf")),
        path=str(etc / "resolv.conf"),
        mtime=conf.mtime,
    )
    bare = "." in name or not facts.search or not _NO_TLD_QUERY.search(options)
    tried = _tried(name, facts, bare) if _asks_dns(facts, name) else ()
    return msgspec.structs.replace(facts, tried=tuple(tried))


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):
        return False


class _File(NamedTuple):
    lines: list[bytes]
    complete: bool
    mtime: str


def _read(path: Path) -> _File | None:
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            data = file.read(_MAX_BYTES + 1)
        mtime = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status.st_mtime))
    except (OSError, ValueError, OverflowError):
        return None
    complete = len(data) <= _MAX_BYTES
    if not complete:
        # Half an address is another address.
        data = data[:_MAX_BYTES].rpartition(b"\n")[0]
    # For C, a line ends at its first zero byte.
    return _File([line.partition(b"\0")[0] for line in data.split(b"\n")], complete, mtime)


def _open_without_waiting(path: str, flags: int) -> int:
    # A FIFO in the file's place would wait for its writer.
    return os.open(path, flags | os.O_NONBLOCK)


def _nameservers(directives: Sequence[tuple[bytes, ...]]) -> tuple[str, ...]:
    servers = [_text(_words(value)[0]) for key, value in directives if key == b"nameserver"]
    return tuple(filter(_is_address, servers))[:3] or ("127.0.0.1",)


def _search(directives: Sequence[tuple[bytes, ...]]) -> list[bytes]:
    override = os.environb.get(b"LOCALDOMAIN")
    if override is not None:
        return _words(override.partition(b"\n")[0])
    for key, value in reversed(directives):
        if key in {b"search", b"domain"}:
            return _words(value)[: 1 if key == b"domain" else None]
    domain = os.fsencode(socket.gethostname()).partition(b".")[2]
    return [domain] if domain else []


def _options(directives: Sequence[tuple[bytes, ...]]) -> bytes:
    lines = [value for key, value in directives if key == b"options"]
    # The zero byte, which no line has, keeps the end of one from running into the next.
    return b"\0".join([*lines, os.environb.get(b"RES_OPTIONS", b"")])


def _option(options: bytes, name: bytes, default: int) -> int:
    values = re.findall(rb"(?<![^ \t\0])" + name + rb":\s*((?:[+-]?[0-9]{1,9})?)", options)
    return int(values[-1] or 0) if values else default


def _words(value: bytes) -> list[bytes]:
    # Spaces and tabs only: a carriage return is part of the word, and breaks it. An empty first
    # word counts: LOCALDOMAIN="" is the root domain.
    return re.split(rb"[ \t]+", value.rstrip(b" \t"))


def _text(word: bytes) -> str:
    # One byte more than a name may have: what is too long stays too long.
    return word[: _MAX_NAME + 1].decode("utf-8", "replace")


def _hosts_order(nsswitch: _File | None) -> str | None:
    for line in reversed(nsswitch.lines if nsswitch else ()):
        if match := _HOSTS_LINE.match(line.partition(b"#")[0]):
            return _text(b" ".join(match[1].split()))
    return None


def _is_listed(name: str, hosts: _File | None) -> bool | None:
    if hosts is None:
        return False
    wanted = name.lower().encode()
    for line in hosts.lines:
        address, *names = line.partition(b"#")[0].lower().split() or [b""]
        if wanted in names and _is_exact_address(_text(address)):
            return True
    return False if hosts.complete else None


def _asks_dns(facts: ResolverFacts, name: str) -> bool:
    services = facts.hosts_order if facts.hosts_order is not None else "files dns"
    before, dns, _ = f" {services} ".lower().partition(" dns ")
    if not name.lower().endswith(".local"):
        before = _ONLY_FOR_LOCAL.sub("", before)
    # `resolve [!UNAVAIL=return] dns`: systemd-resolved answers, and searches by its own rules.
    if not dns or "return]" in before or not facts.attempts:
        return False
    return not (facts.in_hosts_file and "files" in before.split())


def _tried(name: str, facts: ResolverFacts, bare: bool) -> Iterator[str]:
    absolute = name.removesuffix(".")
    if not _is_encodable(absolute) or _is_address(name):
        return
    first = name.count(".") >= facts.ndots
    if first:
        yield absolute
    suffixed = () if name.endswith(".") else tuple(_with_suffixes(absolute, facts.search))
    yield from suffixed
    if bare and not first and absolute not in suffixed:
        yield absolute


def _with_suffixes(name: str, search: Sequence[str]) -> Iterator[str]:
    for domain in search:
        candidate = f"{name}.{domain.removeprefix('.')}".removesuffix(".")
        if not _is_encodable(candidate):
            return  # glibc ends the search here, rather than pass over this suffix
        yield candidate


def _is_encodable(name: str) -> bool:
    return len(name) <= _MAX_NAME and all(0 < len(label) <= 63 for label in name.split("."))


def _ascii(host: str) -> str:
    """As ``socket.getaddrinfo`` hands it to C; empty when it refuses to."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _is_address(text: str) -> bool:
    try:
        socket.inet_aton(text)  # 10.1 is 10.0.0.1
    except (OSError, ValueError):
        return ":" in text and _is_exact_address(text.partition("%")[0])
    return text.split() == [text]  # inet_aton overlooks what follows a blank


def _is_exact_address(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def explain(facts: ResolverFacts, host: str, seconds: float, error_name: str | None) -> str | None:
    """Return what ``facts`` say about a lookup of ``host`` that took ``seconds`` and ended with
    ``error_name`` (``EAI_NONAME``; ``None``: with an answer), or ``None`` when they say nothing.

    Pure. For lookups that failed or were slow: what it says of the others is of no use.
    """
    if not facts.tried:
        return "from the hosts file" if facts.in_hosts_file and error_name is None else None
    silence = _unanswered(facts, seconds, error_name == "EAI_AGAIN")
    parts = (silence, _suffixes_first(facts, _ascii(host), error_name))
    return "; ".join(part for part in parts if part) or None


def _unanswered(facts: ResolverFacts, seconds: float, gave_up: bool) -> str | None:
    servers = len(facts.nameservers)
    # glibc waits for the others by a rule of its own: `timeout << n`, shared among all.
    others = [max((facts.timeout << n) // servers, 1) for n in range(1, servers)]
    waits = [facts.timeout, *others] * facts.attempts
    # After a timeout it ends the search, but for one more name.
    names = min(len(facts.tried), 2)
    if gave_up and _is_near(seconds, names * sum(waits), facts):
        return f"no nameserver answered in {seconds:.0f} s: {', '.join(facts.nameservers)}"
    sums = {facts.timeout * n: n for n in range(1, len(facts.tried) + 1)}
    sums.update((wait, n) for n, wait in enumerate(accumulate(waits), 1))
    near = (_silence(facts, n, wait) for wait, n in sums.items() if _is_near(seconds, wait, facts))
    return next(near, None)


def _is_near(seconds: float, wait: int, facts: ResolverFacts) -> bool:
    # The queries that were answered took their time as well; only rounding makes it less.
    return -0.01 * facts.timeout <= seconds - wait <= 0.1 * facts.timeout


def _silence(facts: ResolverFacts, queries: int, wait: int) -> str:
    what = "a query" if queries == 1 else f"{queries} queries"
    # Several names, each answered slowly, can add up to the same time.
    likely = "" if len(facts.tried) == 1 else "probably "
    others = f" (or one of {len(facts.nameservers)})" if len(facts.nameservers) > 1 else ""
    took = f"{what} {likely}went unanswered for {wait} s (timeout:{facts.timeout})"
    return f"{took}: nameserver {facts.nameservers[0]}{others} did not answer"


def _suffixes_first(facts: ResolverFacts, name: str, error_name: str | None) -> str | None:
    absolute, asked = name.removesuffix("."), facts.tried
    count = asked.index(absolute) if absolute in asked else len(asked)
    if not count:
        return None
    dots, suffixes = name.count("."), f"{count} search suffix" + ("" if count == 1 else "es")
    why = f"{dots} dot" + ("" if dots == 1 else "s") + f" < ndots:{facts.ndots}"
    if error_name in {"EAI_NONAME", "EAI_NODATA"}:
        return f"{error_name} after {suffixes} ({why})"
    kubernetes = " (Kubernetes)" if any(d.startswith("svc.") for d in facts.search) else ""
    return f"{why}: up to {suffixes} tried first{kubernetes}"
