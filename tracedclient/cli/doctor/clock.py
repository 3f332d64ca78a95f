"""Does this machine's clock agree with others'? Times in traces of two machines are compared."""

from __future__ import annotations

import ctypes
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests

from tracedclient.cli.doctor.finding import attention, good, problem
from tracedclient.client import HTTPClient
from tracedclient.redaction import describe_error, redact_url
from tracedclient.retry import RetryPolicy
from tracedclient.timeout import Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.doctor.finding import Finding

_UNSYNCHRONISED = 0x40
"""STA_UNSYNC of adjtimex(2)."""
_ERROR = 5
"""TIME_ERROR of adjtimex(2): not synchronised."""
_KEEP = "run chrony or systemd-timesyncd on the host"


class _Timex(ctypes.Structure):
    """The beginning of the kernel's struct timex, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def check_clock() -> Iterator[Finding]:
    """Ask the kernel whether something keeps the clock. Says nothing off Linux."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError, TypeError):
        return
    state = _Timex()
    returned = adjtimex(ctypes.byref(state))
    if returned < 0:
        return
    if returned == _ERROR or state.status & _UNSYNCHRONISED:
        yield attention("clock", "the kernel knows of nothing that keeps the clock right", _KEEP)
    else:
        error_ms = state.maxerror / 1000
        yield good("clock", f"kept right, to within {error_ms:.0f} ms", max_error_ms=error_ms)


def check_server(url: str, *, timeout: float = 5.0) -> Iterator[Finding]:
    """Ask ``url`` (HEAD) as a client would, and compare its ``Date`` with this machine's clock."""
    shown = redact_url(url)
    once = RetryPolicy(max_attempts=1)
    with HTTPClient(sinks=(), retry=once, timeout=Timeout(total=timeout)) as client:
        began = time.time()
        try:
            response = client.head(url, debug=True, allow_redirects=False)
        except (requests.RequestException, ValueError) as error:
            trace = getattr(error, "trace", None)
            why = (
                (trace and trace.verdict_sentence) or describe_error(error) or type(error).__name__
            )
            advice = f"see where it ends: tracedclient stat '{shown}'"
            yield problem("reach", f"{shown}: {why}", advice)
            return
        ended = time.time()
    yield good("reach", f"{shown}: {response.status_code} in {(ended - began) * 1000:.0f} ms")
    if date := response.headers.get("Date"):
        yield from _compared(shown, date, began, ended)


def _compared(shown: str, date: str, began: float, ended: float) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return
    # Date is cut to the second, and was written between the two.
    behind, ahead = theirs - ended, began - (theirs + 1)
    off = max(behind, ahead)
    if off <= 1:
        yield good("clock", f"agrees with that of {shown}, as far as its Date tells")
        return
    side = "behind" if behind > ahead else "ahead of"
    said = f"this clock is {off:.0f} s {side} that of {shown}"
    yield attention(
        "clock", said, "one of the two is wrong; compare with a third", off_s=round(off, 1)
    )
