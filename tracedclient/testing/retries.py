"""Retries that a test does not have to wait for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracedclient.retry import testmode

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def retries_without_sleeping(attempts: int | None = None) -> Iterator[None]:
    """Inside, no ``HTTPClient`` of this process sleeps between attempts, in whatever thread.

    attempts  all attempts of a call, at most; ``None`` leaves the policy's. One that follows a
              stale connection counts as none, as ever.

    Also a ``Retry-After`` is not waited for, unless it is too long for the policy, which then ends
    the call as ever; and no ``RetryBudget`` is asked or spent, so that one test does not use up the
    retries of the next. What else is decided stays the same. May be nested: of several, the
    innermost that gives ``attempts`` counts. A call that already sleeps goes on sleeping.

    Raises ``TypeError`` or ``ValueError`` for ``attempts`` that are no int of 1 or more.
    """
    if attempts is not None:
        _check(attempts)
    mode = testmode.Mode(attempts)
    testmode.enter(mode)
    try:
        yield
    finally:
        testmode.leave(mode)


def _check(attempts: object) -> None:
    if not isinstance(attempts, int) or isinstance(attempts, bool):
        raise TypeError(f"attempts must be an int or None, not {attempts!r}")
    if attempts < 1:
        raise ValueError(f"attempts must be 1 or more, the first included, not {attempts}")
