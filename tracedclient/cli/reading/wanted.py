"""The id that is asked for: how it may be given, how a log may spell it, and whether a line has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_PREFIX = 8
"""Characters from which on the beginning of an id will do."""

_W3C = 32
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?\Z")
_B3 = re.compile(r"([0-9a-f]{32}|[0-9a-f]{16})-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?\Z")
_XRAY = re.compile(r"(?:.*;)?Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;.*)?\Z")
_UUID = re.compile(
    r"(?:urn:uuid:)?\{?([0-9a-f]{8}(?:-[0-9a-f]{0,4}){1,3}(?:-[0-9a-f]{0,12})?)\}?\Z"
)
_VALID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}\Z")
_HEX = re.compile(r"[0-9a-f]{8,32}\Z", re.IGNORECASE)
_UUID_GROUPS = (8, 4, 4, 4, 12)
_DASHES = (8, 12, 16, 20)


class Wanted(NamedTuple):
    """An id, or the beginning of one."""

    id: str
    """Canonical: lower-case hex digits without dashes where it is made of those."""
    needles: tuple[bytes, ...]
    """A line that has it holds one of these."""
    others: tuple[bytes, ...]
    """Spellings worth a second search when none of ``needles`` is there."""
    pattern: re.Pattern[bytes]

    @property
    def is_whole(self) -> bool:
        """Whether nothing longer can be meant."""
        return len(self.id) < MIN_PREFIX or (len(self.id) == _W3C and _plain(self.id) is not None)

    def spelled_in(self, line: bytes) -> list[str]:
        """Return the ids, canonical, that ``line`` has and that are or begin with this one."""
        found = (match[1].decode("ascii") for match in self.pattern.finditer(line))
        return list(dict.fromkeys(canonical(text.rstrip("._:/+=@-")) for text in found))


def wanted(text: str) -> Wanted:
    """Return what ``text`` asks for: an id, 8 or more characters that begin one, a UUID with its
    dashes, or the value of a ``traceparent``, ``b3`` or ``X-Amzn-Trace-Id`` header.

    Raises ``ValueError`` when it has characters that no id has.
    """
    given = text.strip().strip("\"'")
    bare = _out_of_header(given)
    if not _VALID.match(bare):
        raise ValueError(
            "TRACE_ID must have 1 to 128 characters of A-Z a-z 0-9 . _ : / + = @ - only"
        )
    plain = _plain(bare)
    if plain is None:
        return Wanted(bare, (bare.encode(),), (), _opaque(bare))
    dashed = _dashed(plain)
    # Each further needle costs as much again; what is hardly ever there waits.
    spellings = [plain, dashed] if "-" in bare else [plain]
    others = [dashed, plain.upper(), dashed.upper()]
    return Wanted(plain, _encoded(spellings), _encoded(others, spellings), _hex(plain))


def canonical(trace_id: str) -> str:
    """Return ``trace_id`` as ``Wanted.id`` has it."""
    return _plain(trace_id) or trace_id


def _encoded(spellings: list[str], known: Sequence[str] = ()) -> tuple[bytes, ...]:
    return tuple(one.encode() for one in dict.fromkeys(spellings) if one not in known)


def _out_of_header(text: str) -> str:
    lower = text.lower()
    for header in (_TRACEPARENT, _B3):
        if found := header.match(lower):
            return found[1]
    if found := _XRAY.match(text):
        return found[1] + found[2]
    found = _UUID.match(lower)
    return found[1] if found else text


def _plain(text: str) -> str | None:
    """Return the hex digits of ``text``, if it is made of those as ids are; else ``None``."""
    lower = text.lower()
    if _UUID.match(lower):
        lower = lower.replace("-", "")
    if not _HEX.match(lower):
        return None
    # B3's ids of 64 bits become W3C's with zeros in front (OpenTelemetry, B3 Extract).
    return lower[16:] if len(lower) == _W3C and lower.startswith("0" * 16) else lower


def _dashed(plain: str) -> str:
    ends = [at for at in _DASHES if at < len(plain)]
    starts = [0, *ends]
    return "-".join(plain[a:b] for a, b in zip(starts, [*ends, None], strict=True))


def _hex(plain: str) -> re.Pattern[bytes]:
    """Return the pattern of the id, with or without dashes, and of what completes a prefix."""
    head = "".join(("-?" if at in _DASHES else "") + char for at, char in enumerate(plain))
    tail = f"(?:{_rest_of_uuid(len(plain))}|[0-9a-f]{{0,{_W3C - len(plain)}}})"
    text = rf"(?<![0-9a-z])(?:0{{16}})?({head}{tail})(?![0-9a-z])"
    return re.compile(text.encode(), re.IGNORECASE)


def _rest_of_uuid(given: int) -> str:
    """Return the pattern of what follows the first ``given`` digits of a UUID."""
    parts = []
    for size in _UUID_GROUPS:
        left = min(size, max(0, size - given))
        given -= size - left
        if left:
            parts.append(("-?" if left == size else "") + f"[0-9a-f]{{{left}}}")
    return "".join(parts)


def _opaque(text: str) -> re.Pattern[bytes]:
    tail = "[A-Za-z0-9._:/+=@-]*" if len(text) >= MIN_PREFIX else ""
    pattern = rf"(?<![0-9A-Za-z])({re.escape(text)}{tail})(?![0-9A-Za-z])"
    return re.compile(pattern.encode())
