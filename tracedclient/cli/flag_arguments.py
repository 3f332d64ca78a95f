"""What the arguments of ``tracedclient flag`` may be; the errors name the argument and the way out."""

from __future__ import annotations

import argparse
import getpass
import re
from typing import TYPE_CHECKING, get_args

from tracedclient.cli.flag_document import Wanted
from tracedclient.cli.terminal import add_color_argument
from tracedclient.debug.document import DEFAULT_RATE
from tracedclient.trace.decision import Emit, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

ARGUMENTS = {
    "hosts": "--host",
    "methods": "--method",
    "paths": "--path",
    "instances": "--instance",
    "percent": "--percent",
    "emit": "--emit",
    "slow_ms": "--slow-ms",
    "level": "--level",
    "until": "--for",
    "id": "--id",
    "updated_by": "--by",
    "reason": "--reason",
    "max_per_second": "--max-per-second",
}
"""A field of the document → the argument that it comes from."""

_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_HALF_AN_HOUR = 1800
_MAX_SECONDS = 366 * 86_400


def add_on(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments that say what is to be traced, why, and for how long."""
    add = parser.add_argument_group("which calls (several of one kind: any of them)").add_argument
    glob = "* stands for any characters; may be given several times"
    add(
        "--host",
        metavar="NAME",
        type=_text,
        action="append",
        default=[],
        help=f"api.pay.com; {glob}",
    )
    add(
        "--method", metavar="M", type=_text, action="append", default=[], help="POST; several times"
    )
    add(
        "--path",
        metavar="PATH",
        type=_text,
        action="append",
        default=[],
        help=f"'/v1/charge*'; {glob}",
    )
    instance = f"host name of a process, which is a pod's name: 'web-7*'; {glob}"
    add("--instance", metavar="NAME", type=_text, action="append", default=[], help=instance)
    add("--percent", metavar="P", type=_number, default=100.0, help="of the calls (default 100)")
    add = parser.add_argument_group("what of them").add_argument
    emit = "which of them are logged, decided when a call is over (default all)"
    add("--emit", choices=get_args(Emit), default="all", help=emit)
    slow = "from how many milliseconds a call is slow; with --emit slow and errors_or_slow"
    add("--slow-ms", metavar="MS", type=_number, help=slow)
    level = "headers: also names of headers, and values that hold no secret (default timing)"
    add("--level", choices=get_args(Level), default="timing", help=level)
    rate = f"lines at most, in each process (default {DEFAULT_RATE:g})"
    add("--max-per-second", metavar="N", type=_number, default=DEFAULT_RATE, help=rate)
    add = parser.add_argument_group("how long").add_argument
    until = "30m, 2h, 90s, 1h30m (default 30m); a process cuts it to four hours"
    add("--for", dest="seconds", metavar="TIME", type=_duration, default=_HALF_AN_HOUR, help=until)
    add("--id", metavar="NAME", help="stands in each trace as debug_rule (default: the reason)")
    _add_who_and_why(parser)


def add_off(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments that say who switches off, and why."""
    _add_who_and_why(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments about how it is shown."""
    add_color_argument(parser)


def wanted(options: argparse.Namespace) -> Wanted:
    """Return what was asked for; refuse, as the parser does, what cannot be meant together."""
    if (options.slow_ms is None) == ("slow" in options.emit):
        options.parser.error(
            "argument --slow-ms: --emit slow and errors_or_slow need it, only they do"
        )
    return Wanted(
        seconds=options.seconds,
        by=options.by,
        reason=options.reason,
        rule_id=options.id,
        hosts=_each(options.host),
        methods=_each(options.method),
        paths=_each(options.path),
        instances=_each(options.instance),
        percent=options.percent,
        emit=options.emit,
        slow_ms=options.slow_ms,
        level=options.level,
        max_per_second=options.max_per_second,
    )


def login_name() -> str | None:
    """Return who runs this; ``None`` when the machine has no name for them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def _add_who_and_why(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("who and why").add_argument
    reason = "INC-4711; it stands in the log line with which a process announces the change"
    add("--reason", metavar="TEXT", type=_text, help=reason)
    who = "default: the login name"
    add("--by", metavar="NAME", type=_text, default=login_name(), help=who)


def _each(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _text(value: str) -> str:
    # A byte of the command line that is not UTF-8 arrives as half a character, which JSON cannot say.
    if not value.strip() or not value.isprintable():
        raise argparse.ArgumentTypeError(f"{value!r} is not a printable text")
    return value


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e15:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return int(number) if number.is_integer() else number


def _duration(text: str) -> int:
    found = _DURATION.fullmatch(text)
    hours, minutes, seconds = map(int, found.groups("0")) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not 0 < total <= _MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 30m, 2h, 90s or 1h30m")
    return total
