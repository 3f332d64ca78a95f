"""``tracedclient completion SHELL``: what makes a shell complete our commands and options.

By shtab (extra ``completion``): five shells' rules for quoting are no work of ours.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from tracedclient.cli import whole_parser
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")
USAGE = 2

_FILES = frozenset(["FILE", "PATH"])
"""What an argument's ``metavar`` calls a file."""

_WHERE = """\
where each shell looks for it:
  bash  ~/.local/share/bash-completion/completions/tracedclient
  zsh   _tracedclient in a directory of $fpath
  fish  ~/.config/fish/completions/tracedclient.fish"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the argument of ``completion``."""
    parser.add_argument("shell", choices=SHELLS)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _WHERE
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the shell's script; without shtab say how to get it."""
    try:
        print(script(options.shell))
    except ImportError as error:
        sys.stderr.write(f"tracedclient: {escape(str(error))}\n")
        return USAGE
    return 0


def script(shell: str) -> str:
    """Return the script for one of ``SHELLS``. Raises ``ImportError`` without the extra."""
    try:
        import shtab  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError(
            "the scripts are made by shtab: pip install 'tracedclient[completion]'"
        ) from error
    parser = whole_parser()
    for action in _actions(parser):
        if action.metavar in _FILES:
            # Or else a shell would offer nothing where it offered files before.
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    completed: Any = shtab.complete(parser, shell=shell)
    return str(completed)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse shows its arguments in no other way
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for subparser in action.choices.values():
                yield from _actions(subparser)
