"""One input → its blocks: all of them, or those of a span of time."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from tracedclient.cli.reading.blocks import blocks
from tracedclient.cli.reading.compression import opened
from tracedclient.cli.reading.window import window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.reading.blocks import Block
    from tracedclient.cli.reading.compression import Source
    from tracedclient.cli.reading.inputs import Input
    from tracedclient.cli.reading.tally import Tally
    from tracedclient.cli.reading.window import Span, Window


def blocks_of(found: Input, span: Span, tally: Tally) -> Iterator[Block]:
    """Yield the blocks of ``found`` that may have lines of ``span``.

    What cannot be read is noted in ``tally``, and so is how much was looked at.
    """
    tally.files += 1
    try:
        with closing(opened(found)) as source:
            for block in _of(source, found, span, tally):
                tally.bytes += block.end
                yield block
    except (OSError, ImportError) as error:
        # A pipe of ours that breaks while a block is out is not a matter of this file.
        if isinstance(error, BrokenPipeError):
            raise
        tally.cannot_read(found.name, error)


def _of(source: Source, found: Input, span: Span, tally: Tally) -> Iterator[Block]:
    if not found.seekable or source.compressed or span == (None, None):
        yield from blocks(source)
        return
    part = _window(source, found.name, span, tally)
    source.seek(part.start)
    yield from blocks(source, offset=part.start, limit=part.end - part.start)


def _window(source: Source, name: str, span: Span, tally: Tally) -> Window:
    size = os.fstat(source.fileno()).st_size
    part = window(source, size, span)
    tally.bytes_left += size - (part.end - part.start)
    if not part.ordered:
        tally.unordered.append(name)
    return part
