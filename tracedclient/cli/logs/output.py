"""What was found, in the form that was asked for, on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tracedclient.cli.logs import machine
from tracedclient.cli.logs.arguments import EXPORTS
from tracedclient.cli.logs.export import export
from tracedclient.cli.logs.markdown import markdown
from tracedclient.cli.logs.pager import show
from tracedclient.cli.logs.story import story
from tracedclient.cli.terminal import Style, width_of
from tracedclient.cli.waterfall import MIN_WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.cli.logs.arguments import Request
    from tracedclient.cli.logs.gather import Gathering
    from tracedclient.cli.reading.entries import Entry


def write(entries: Sequence[Entry], request: Request, gathering: Gathering) -> bool:
    """Write ``entries``, which are all of one id; say whether that could be done."""
    if request.format in EXPORTS:
        return export(entries, request)
    if request.format in ("json", "raw"):
        machine.write(entries, request, gathering.tally)
    else:
        _draw(entries, request, gathering)
    return True


def _draw(entries: Sequence[Entry], request: Request, gathering: Gathering) -> None:
    style = Style.detect(sys.stdout, request.color)
    if request.format == "md":
        unicode = style.unicode
        print(markdown(gathering.ids[0], entries, Style(colour=False, unicode=unicode)))
        return
    width = max(width_of(sys.stdout), MIN_WIDTH)
    text = story(gathering.ids[0], entries, width=width, style=style)
    show(text, wanted=request.pager)
