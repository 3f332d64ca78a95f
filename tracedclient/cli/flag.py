"""``tracedclient flag on|off|show|check``: the operator's hands on the flag.

Exit codes: 0 done, or the document is good, warnings included; 1 a problem was found: the document
is not one, or the place did not answer or refused (``check --strict``: or there is a warning); 2
wrong usage, or a file that cannot be read or written.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from tracedclient.cli.flag_arguments import ARGUMENTS, add_off, add_on, add_output, wanted
from tracedclient.cli.flag_document import switched_off, switched_on
from tracedclient.cli.flag_place_arguments import add_place, check_place
from tracedclient.cli.flag_places import place_to_read, place_to_write
from tracedclient.cli.flag_problems import problems
from tracedclient.cli.flag_screen import Screen
from tracedclient.cli.flag_warnings import warnings
from tracedclient.cli.flag_words import headline
from tracedclient.cli.terminal import escape
from tracedclient.debug.document import MAX_BYTES, decode
from tracedclient.debug.source import SourceError
from tracedclient.debug.sources.apollo.openapi import PublishError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from tracedclient.cli.flag_places import Place

T = TypeVar("T")

PROBLEM, USAGE = 1, 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the actions of ``flag``, each with its arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def action(
        name: str, words: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=words, description=words)
        added.set_defaults(run=run, parser=added)
        return added

    on = action("on", "print the document that switches it on, or put it where it is kept", _on)
    add_on(on)
    off = action("off", "print the document that switches it off, or put it where it is kept", _off)
    add_off(off)
    show = action("show", "say in words what is kept there", _show)
    for each in (on, off, show):
        add_place(each, read_only=each is show)
        add_output(each)
    check = action("check", "say what is wrong with a document, or what it would trace", _check)
    check.add_argument(
        "document", metavar="FILE", nargs="?", default="-", help="-, the default: stdin"
    )
    check.add_argument("--strict", action="store_true", help="exit with 1 for a warning too")
    add_output(check)


def _on(options: argparse.Namespace) -> int:
    # A whole second, so that half an hour is said to be one.
    now = int(time.time())
    body = switched_on(wanted(options), now)
    for problem in problems(body):
        _refuse(options, ARGUMENTS.get(problem.field, ""), problem.words)
    return _publish(options, body, now)


def _off(options: argparse.Namespace) -> int:
    now = time.time()
    return _publish(options, switched_off(options.by, options.reason, now), now)


def _show(options: argparse.Namespace) -> int:
    now = time.time()
    screen = Screen(sys.stdout, options.color)
    place = _named(options, place_to_read)
    with closing(place):
        try:
            body = place.read()
        except (SourceError, PublishError) as error:
            return _complain(f"cannot read {place.name}: {error}", PROBLEM)
    screen.say(place.name)
    if body is None:
        screen.say("off: there is no document")
        return 0
    return _say(screen, body, now)


def _check(options: argparse.Namespace) -> int:
    try:
        body = _read(options.document)
    except OSError as error:
        words = f"cannot read {options.document!r}: {error.strerror or error}"
        return _complain(words, USAGE)
    now = time.time()
    code = _say(Screen(sys.stdout, options.color), body, now)
    if code == 0 and options.strict and warnings(decode(body), now):
        return PROBLEM
    return code


def _read(path: str) -> bytes:
    """Return a document, or one byte more than it may have."""
    if path == "-":
        if sys.stdin.isatty():
            sys.stderr.write("the document is read from this terminal; Ctrl-D ends it\n")
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(path).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _say(screen: Screen, body: bytes, now: float) -> int:
    found = problems(body)
    if found:
        screen.problems(found)
        return PROBLEM
    screen.document(decode(body), now)
    return 0


def _publish(options: argparse.Namespace, body: bytes, now: float) -> int:
    place = _named(options, place_to_write)
    if place is None:
        sys.stdout.write(body.decode())
        Screen(sys.stderr, options.color).document(decode(body), now)
        return 0
    screen = Screen(sys.stdout, options.color)
    with closing(place):
        replaced = _replaced(place, now)
        try:
            place.write(body, options.reason or "")
        except (SourceError, PublishError, ValueError) as error:
            return _complain(f"{place.name} is not known to be changed: {error}", PROBLEM)
        except OSError as error:
            return _complain(f"cannot write {place.name}: {error.strerror or error}", USAGE)
    screen.say(f"published to {place.name}")
    screen.document(decode(body), now)
    screen.say(replaced)
    return 0


def _replaced(place: Place, now: float) -> str:
    """Return what was there, for the one whose flag it was."""
    try:
        body = place.read()
    except (SourceError, PublishError):
        return "what it replaces could not be read"
    if body is None:
        return "nothing was there before"
    if problems(body):
        return "it replaces what was no flag document"
    return f"it replaces: {headline(decode(body), now)}"


def _named(options: argparse.Namespace, place_of: Callable[[argparse.Namespace], T]) -> T:
    argument = check_place(options)
    try:
        return place_of(options)
    except ValueError as error:
        _refuse(options, argument, str(error))


def _refuse(options: argparse.Namespace, argument: str, words: str) -> NoReturn:
    parser: argparse.ArgumentParser = options.parser
    parser.error(escape(f"argument {argument}: {words}" if argument else words))


def _complain(words: str, code: int) -> int:
    sys.stderr.write(f"tracedclient: {escape(words)}\n")
    return code
