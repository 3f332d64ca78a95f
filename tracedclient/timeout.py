"""``Timeout``: how long a call, and the parts of it, may take."""

from __future__ import annotations

from tracedclient._value import Value

# socket.settimeout raises OverflowError, in the middle of a request, for little more than this.
_MAX_SECONDS = 1_000_000_000


class Timeout(Value):
    """Seconds; ``None`` is no limit. Raises ``TypeError`` or ``ValueError`` naming the field."""

    connect: float | None = 1.0
    """For each address of the host."""
    read: float | None = 5.0
    """Between two reads of the answer."""
    total: float | None = 10.0
    """For the whole call: all attempts, and the sleeps between them."""

    def __post_init__(self) -> None:
        _check("connect", self.connect)
        _check("read", self.read)
        _check("total", self.total)

    @classmethod
    def of(cls, value: Timeout | float | tuple[float | None, float | None] | None) -> Timeout:
        """Return ``value`` as a ``Timeout``.

        A number is the connect and the read timeout, a pair is ``(connect, read)``, as requests
        has it; the total then is none, as there. ``None`` is no limit at all.
        """
        if isinstance(value, Timeout):
            return value
        if isinstance(value, tuple):
            if len(value) != 2:
                raise ValueError(f"timeout must be a pair (connect, read), not {value!r}")
            return cls(*value, total=None)
        return cls(value, value, total=None)


def _check(name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"timeout: {name} must be a number of seconds or None, not {value!r}")
    if not 0 < value <= _MAX_SECONDS:
        raise ValueError(
            f"timeout: {name} must be greater than 0 and at most {_MAX_SECONDS} seconds, "
            f"not {value!r}; None is no limit"
        )
