"""Whether files are what an engine for plain JSON lines can read, judged by a few places in them."""

from __future__ import annotations

from pathlib import Path

from tracedclient.cli.reporting.calls import SIGN, Future, NotCounted, call_of

_PROBES = 48
_PROBE = 64 * 1024


def is_plain(paths: list[str]) -> bool:
    """Whether there are traces in ``paths``, each a line of JSON with nothing around it.

    Raises ``OSError`` for a file that cannot be read.
    """
    traces = 0
    for path in paths:
        for chunk in _chunks(path, max(1, _PROBES // len(paths))):
            for line in chunk[: chunk.rfind(b"\n") + 1].splitlines():
                if SIGN in line:
                    if not _is_whole(line):
                        return False
                    traces += 1
    return traces > 0


def _chunks(path: str, probes: int) -> list[bytes]:
    size = Path(path).stat().st_size
    probes = min(probes, size // _PROBE + 1)
    with Path(path).open("rb") as file:
        chunks = []
        for probe in range(probes):
            file.seek(probe * (size // probes))
            # The first line of a chunk is whole only at the beginning, and the last hardly ever.
            chunk = file.read(_PROBE)
            chunks.append(chunk if probe == 0 else chunk[chunk.find(b"\n") + 1 :])
    return chunks


def _is_whole(line: bytes) -> bool:
    try:
        call_of(line)
    except Future:
        return True
    except NotCounted:
        return False
    return True
