"""A ``ClientTrace`` for tests: writes down every hook that is called, with its argument."""

from __future__ import annotations

from typing import Any

from tracedclient.httptrace import HOOKS, ClientTrace

_NOISE = frozenset({"wrote_header_field", "body_read"})


class Journal(ClientTrace):
    def __init__(self) -> None:
        self.entries: list[tuple[str, Any]] = []

    @property
    def hooks(self) -> list[str]:
        """The hooks in their order, without those that come once per header or read."""
        return [hook for hook, _ in self.entries if hook not in _NOISE]

    def all(self, hook: str) -> list[Any]:
        """The arguments of every call of one hook."""
        return [info for name, info in self.entries if name == hook]

    def one(self, hook: str) -> Any:
        """The argument of the only call of one hook."""
        (info,) = self.all(hook)
        return info


def _write_down(hook: str) -> Any:
    def call(self: Journal, info: Any) -> None:
        self.entries.append((hook, info))

    return call


for _hook in HOOKS:
    setattr(Journal, _hook, _write_down(_hook))
