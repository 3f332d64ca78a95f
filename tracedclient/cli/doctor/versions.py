"""Versions: which are here, and do they go together."""

from __future__ import annotations

import platform
import re
import ssl
from importlib import metadata
from typing import TYPE_CHECKING

from tracedclient._version import __version__
from tracedclient.cli.doctor.finding import attention, good, problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.doctor.finding import Finding

_PACKAGE = "tracedclient"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*(?:>=\s*([0-9.]+))?")


def check_versions() -> Iterator[Finding]:
    """Name the interpreter, its OpenSSL, and all that this package needs or can use."""
    libc = " ".join(platform.libc_ver()).strip() or "an unknown C library"
    said = (
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {libc}, {platform.release()}"
    )
    yield good("versions", said)
    try:
        requirements = metadata.requires(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        advice = "install it with pip, so that its requirements are kept"
        yield attention(
            "versions", f"tracedclient {__version__} is not installed as a package", advice
        )
        return
    yield from check_requirements(requirements)


def check_requirements(requirements: Iterable[str]) -> Iterator[Finding]:
    """Compare what is installed with ``requirements``, as the package's metadata has them."""
    found = [f"tracedclient {__version__}"]
    for name, lowest in _required(requirements):
        version = _installed(name)
        if version is None:
            yield problem("versions", f"{name} is missing", f"pip install '{name}>={lowest}'")
            continue
        found.append(f"{name} {version}")
        if _numbers(version) < _numbers(lowest):
            said = f"{name} {version} is older than {lowest}"
            yield problem("versions", said, f"pip install '{name}>={lowest}'")
    extras = [
        f"{name} {version}" for name in _optional(requirements) if (version := _installed(name))
    ]
    yield good("versions", ", ".join([*found, *extras]))


def _required(requirements: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in requirements:
        match = _REQUIREMENT.match(text)
        if match and "extra" not in text:
            yield match[1], match[2] or "0"


def _optional(requirements: Iterable[str]) -> list[str]:
    useful = [text for text in requirements if "extra" in text and "test" not in text]
    names = {match[1] for text in useful if (match := _REQUIREMENT.match(text))}
    return sorted(names - {name for name, _ in _required(requirements)})


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version.partition("+")[0])[:3]))
