"""W3C Baggage (https://www.w3.org/TR/baggage/): what a caller sends along, to be passed on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = r"[!#-+\--:<-\[\]-~]*"
_SPACE = r"[ \t]*"
_MEMBER = re.compile(
    rf"{_KEY}{_SPACE}={_SPACE}{_VALUE}"
    rf"(?:{_SPACE};{_SPACE}{_KEY}(?:{_SPACE}={_SPACE}{_VALUE})?)*"
)

_MAX_RECEIVED = 64 * 1024
_MAX_SENT = 8192  # §3.3.2, with the number of members
_MAX_MEMBERS = 64


def parse_baggage(values: Sequence[str]) -> str:
    """Return the members of all fields ``baggage`` as one value; empty when there is none.

    A member that is not well-formed is left out; so is what comes after the first 64 members, or
    would make more than 8,192 bytes. A member is passed on whole or not at all (§3.3.2).
    """
    if sum(map(len, values)) > _MAX_RECEIVED:
        return ""
    kept: list[str] = []
    size = -1
    for member in (part.strip(" \t") for value in values for part in value.split(",")):
        longer = size + 1 + len(member)
        if len(kept) < _MAX_MEMBERS and longer <= _MAX_SENT and _MEMBER.fullmatch(member):
            kept.append(member)
            size = longer
    return ",".join(kept)
