"""Modules of this room that are loaded when something is first asked of them.

Only a traced exchange asks the kernel, and only a lookup that failed or was slow is explained. Both
need msgspec, which a process that never traces does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracedclient.transport import counted, kernel, stamping, unresolved

__all__ = ["counted", "kernel", "stamping", "unresolved"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    thing = globals()[name] = import_module(f"tracedclient.transport.{name}")
    return thing
