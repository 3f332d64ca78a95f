"""Times: in the lines of any log, and as arguments of a command. All are seconds since the epoch.

A time without a zone is taken as UTC, as the log line of this package is.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_MOMENT = (
    rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?[ ]?(Z\b|[+-]\d\d:?\d\d\b|UTC\b)?"
)
_NAMED = rb'\\?"(?:@?timestamp|time|ts|asctime)\\?"[ ]?:[ ]?'
_STAMP = re.compile(_NAMED + rb'\\?"' + _MOMENT)
_NUMBER = re.compile(_NAMED + rb"(\d{10})(\d{3})?(\d{3})?(\d{3})?(\.\d+)?\b")
_ANY = re.compile(_MOMENT)
_HEAD = 400
"""Bytes of a line in which its time is looked for, when no key names it."""

_RELATIVE = re.compile(r"-?(\d+(?:\.\d+)?)(s|m|h|d)(?: ago)?\Z")
_OF_DAY = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?Z?\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AROUND = re.compile(r"(.+?)(?:±|\+-|\+/-)(\d+(?:\.\d+)?[smhd])\Z")
_LAST = 253_402_300_799
"""The end of the year 9999, the last that a datetime can be in."""
_DEFAULT_AROUND = 600.0


def time_of(line: bytes) -> float | None:
    """Return when ``line`` was written, as it says itself; ``None`` when it does not."""
    found = _STAMP.search(line)
    if found is None and (number := _NUMBER.search(line)):
        return _from_number(number)
    found = found or _ANY.search(line, 0, _HEAD)
    return _from_match(found) if found else None


def parse(text: str, *, now: float) -> float:
    """Return the time that an argument states.

    ISO 8601 with or without its zone, a time of the day (``22:27``: the last one before ``now``),
    ``now``, or how long ago (``-3h``, ``90s``, ``2d``).

    Raises ``ValueError`` for anything else.
    """
    text = text.strip()
    if text == "now":
        return now
    if relative := _RELATIVE.match(text):
        return now - float(relative[1]) * _UNITS[relative[2]]
    if of_day := _OF_DAY.match(text):
        return _last(of_day, now)
    return _absolute(text)


def parse_around(text: str, *, now: float) -> tuple[float, float]:
    """Return the span that ``TIME±10m`` states; ten minutes are meant where none are given.

    Raises ``ValueError`` as ``parse`` does.
    """
    found = _AROUND.match(text.strip())
    middle = parse(found[1] if found else text, now=now)
    radius = now - parse(found[2], now=now) if found else _DEFAULT_AROUND
    return middle - radius, middle + radius


def iso(seconds: float) -> str:
    """Return a time as ``2026-11-20T22:27:58Z``."""
    return _utc(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def of_day(seconds: float) -> str:
    """Return a time's time of the day, to the millisecond, in UTC."""
    return _utc(seconds).strftime("%H:%M:%S.%f")[:-3]


def _utc(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)


def _from_match(found: re.Match[bytes]) -> float | None:
    day, clock, fraction, zone = (part.decode() if part else "" for part in found.groups())
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        return None
    seconds = moment.replace(tzinfo=timezone.utc).timestamp() - _offset(zone)
    # No log is older than the epoch; what says so would be out of a datetime's range elsewhere.
    return seconds + float(f"0.{fraction or 0}") if 0 <= seconds < _LAST else None


def _offset(zone: str) -> int:
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _from_number(found: re.Match[bytes]) -> float:
    seconds, *thousandths, fraction = found.groups()
    digits = b"".join(part or b"" for part in thousandths)
    return float(seconds + b"." + digits + (fraction or b".")[1:] + b"0")


def _last(of_day: re.Match[str], now: float) -> float:
    hours, minutes = int(of_day[1]), int(of_day[2])
    seconds = float((of_day[3] or "0") + (of_day[4] or ""))
    if hours > 23 or minutes > 59 or seconds >= 60:
        raise ValueError(f"{of_day[0]!r} is no time of the day")
    midnight = now - now % 86400
    moment = midnight + hours * 3600 + minutes * 60 + seconds
    return moment if moment <= now else moment - 86400


def _absolute(text: str) -> float:
    try:
        # Python 3.10 does not know the Z.
        moment = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        raise ValueError(
            f"{text!r} is no time; give 2026-11-20T22:27:58Z, 22:27 (UTC), -3h or now"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
