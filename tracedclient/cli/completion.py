"""``tracedclient completion SHELL``: what makes a shell complete our commands and options.

By shtab (extra ``completion``): five shells' rules for quoting are no work of ours.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tracedclient.cli import whole_parser
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish")
USAGE = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the argument of ``completion``."""
    parser.add_argument("shell", choices=SHELLS)
    parser.epilog = (
        "bash: tracedclient completion bash > ~/.local/share/bash-completion/completions/tracedclient "
        "| zsh: … > a directory of $fpath, as _tracedclient "
        "| fish: … > ~/.config/fish/completions/tracedclient.fish"
    )
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
    completed: Any = shtab.complete(whole_parser(), shell=shell)
    return str(completed)
