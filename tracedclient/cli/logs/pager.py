"""A text on stdout: through the user's pager, where a terminal is too short for it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

_DEFAULT = "less"


def show(text: str, *, wanted: bool) -> None:
    """Print ``text``; by ``PAGER``, or ``less``, if it is ``wanted`` and longer than the screen."""
    command = _command() if wanted and _is_too_long(text) else []
    if not command or not _paged(command, f"{text}\n"):
        print(text)


def _is_too_long(text: str) -> bool:
    if not (sys.stdout.isatty() and sys.stdin.isatty()) or os.environ.get("TERM") == "dumb":
        return False
    # One line is for the shell's prompt.
    return text.count("\n") + 2 > os.get_terminal_size(sys.stdout.fileno()).lines


def _command() -> list[str]:
    try:
        return shlex.split(os.environ.get("PAGER", _DEFAULT))
    except ValueError:
        # A quote without its end.
        return []


def _paged(command: list[str], text: str) -> bool:
    # As git does: leave at once if it fits, let colours through, leave the text on the screen.
    environment = {"LESS": "FRX", "LESSCHARSET": "utf-8"} | dict(os.environ)
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:  # noqa: S603 - the user's own
            process.communicate(text.encode(sys.stdout.encoding, "backslashreplace"))
    except OSError:
        return False
    return True
