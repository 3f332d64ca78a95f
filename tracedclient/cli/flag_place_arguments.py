"""The arguments of ``tracedclient flag`` that say where the document is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.flag_arguments import login_name

if TYPE_CHECKING:
    import argparse


class _Kind(NamedTuple):
    """What goes with one kind of place."""

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


_APOLLO = ("cluster", "namespace", "key", "cacert")
_KINDS = {
    "file": _Kind(),
    "url": _Kind((), ("cacert",)),
    "etcd": _Kind((), ("key", "user", "cacert", "cert")),
    "apollo": _Kind(("app", "env", "operator"), _APOLLO),
    "apollo_meta": _Kind(("app",), (*_APOLLO, "label")),
}
_DEFAULTS = {"cluster": "default", "namespace": "tracedclient.json"}
_OPTIONS = sorted({name for kind in _KINDS.values() for name in (*kind.needs, *kind.takes)})


def add_place(parser: argparse.ArgumentParser, *, read_only: bool) -> None:
    """Give ``parser`` the arguments; with ``read_only`` one place must be named, of all kinds."""
    group = parser.add_argument_group("where it is kept")
    one = group.add_mutually_exclusive_group(required=read_only)
    add = one.add_argument
    add("--file", metavar="PATH", help="replaced in one step, keeping its mode and owner")
    member = "a member of the cluster; may be given several times"
    add("--etcd", metavar="URL", action="append", default=[], help=member)
    add("--apollo", metavar="PORTAL_URL", help="Apollo, by the open API of its portal")
    if read_only:
        add(
            "--apollo-meta", metavar="URL", help="Apollo, by its meta server, as a service reads it"
        )
        add("--url", metavar="URL", help="as a service reads it")
        group.add_argument("--label", help="of a gray release")
    add = group.add_argument
    key = "default: /tracedclient/flag in etcd; tracedclient.trace in properties of Apollo"
    add("--key", metavar="K", help=key)
    add("--user", metavar="NAME", help="of etcd")
    add("--app", metavar="ID", help="of Apollo, as are:")
    add("--env", metavar="NAME", help="as the portal names it: PRO")
    operator = "a user of the portal (default: the login name)"
    add("--operator", metavar="NAME", help=operator)
    add("--cluster", metavar="NAME", help="default: default")
    add("--namespace", metavar="NAME", help="default: tracedclient.json")
    add("--cacert", metavar="FILE", help="the certificate authorities to believe")
    add("-E", "--cert", metavar="FILE", help="client certificate and key for etcd, in one PEM file")
    if not read_only:
        parser.set_defaults(apollo_meta=None, url=None, label=None)


def check_place(options: argparse.Namespace) -> str:
    """Refuse, as the parser does, what does not go with the place; fill in what has a default.

    Returns the argument that names it, ``--etcd``; empty when there is none.
    """
    chosen = next((kind for kind in _KINDS if getattr(options, kind) not in (None, [])), None)
    kind = _Kind() if chosen is None else _KINDS[chosen]
    given = [name for name in _OPTIONS if getattr(options, name) is not None]
    for name in given:
        if name not in (*kind.needs, *kind.takes):
            place = "no place to keep it" if chosen is None else _argument(chosen)
            options.parser.error(f"argument {_argument(name)}: it does not go with {place}")
    if "operator" in kind.needs and options.operator is None:
        options.operator = login_name()
    missing = [_argument(name) for name in kind.needs if getattr(options, name) is None]
    if missing and chosen is not None:
        options.parser.error(f"argument {_argument(chosen)}: it needs {' and '.join(missing)}")
    for name, default in _DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    return "" if chosen is None else _argument(chosen)


def _argument(name: str) -> str:
    return f"--{name.replace('_', '-')}"
