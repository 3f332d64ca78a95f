"""``ApolloPublisher``: change the flag from a script, through the open API of Apollo's portal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from tracedclient.debug.document import excerpt
from tracedclient.debug.fetching.url import parse_url
from tracedclient.debug.fetching.web import Answer, Web, refusal
from tracedclient.debug.source import SourceError
from tracedclient.debug.sources.apollo.places import CONTENT, Place, addresses, check_given

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

MAX_VALUE = 20_000
"""Characters of a value, unless the portal is told another limit."""
_MAX_NAMESPACE = 4 * 1024 * 1024
_MAX_SHOWN = 5


class PublishError(Exception):
    """The document was not published, in words for an operator."""


class _Item(msgspec.Struct, frozen=True):
    key: str = ""
    value: str = ""


class _Namespace(msgspec.Struct, frozen=True):
    items: list[_Item] = []


class _Release(msgspec.Struct, frozen=True):
    configurations: dict[str, str] = {}


class _Failure(msgspec.Struct, frozen=True):
    message: str = ""


class ApolloPublisher:
    """Puts a document where ``ApolloSource`` reads it: changes the item, then releases.

    portal_url  ``https://apollo-portal.example.com``
    token       of an application that may change and release this namespace
    app_id, env, cluster, namespace, key  the place; ``env`` as the portal names it: ``PRO``
    operator    a user of the portal, in whose name it is done
    timeout     seconds for each of the four requests

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    def __init__(
        self,
        portal_url: str,
        token: str,
        *,
        app_id: str,
        env: str,
        operator: str,
        cluster: str = "default",
        namespace: str = "tracedclient.json",
        key: str | None = None,
        timeout: float = 10.0,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
        proxy: str | None = None,
    ) -> None:
        self._place = Place.checked(app_id, cluster, namespace, key)
        self.name = f"apollo:{env}/{self._place}"
        check_given(token=token, env=env, operator=operator)
        self._operator = operator
        self._portal = addresses("portal_url", portal_url)[0]
        self._token = token
        self._web = Web(
            total=timeout, headers=headers, verify=verify, proxy=proxy, max_bytes=_MAX_NAMESPACE
        )
        parts = [env, "apps", app_id, "clusters", cluster, "namespaces", self._namespace]
        self._path = "/openapi/v1/envs/" + "/".join(quote(part, safe="") for part in parts)

    @property
    def _namespace(self) -> str:
        name = self._place.namespace
        return name[: -len(".properties")] if name.lower().endswith(".properties") else name

    def publish(self, document: bytes | str, *, reason: str = "") -> None:
        """Release the namespace with ``document`` as its value. ``reason`` is the comment.

        A release takes along every other change of the namespace that waits to be released: if
        there is one, nothing is changed.

        Raises ``PublishError`` when it was refused, or is not known to have been done; and
        ``ValueError`` for a document that Apollo would not take.
        """
        text = document.decode() if isinstance(document, bytes) else document
        if len(text) > MAX_VALUE:
            raise ValueError(f"document must have at most {MAX_VALUE} characters: {len(text)}")
        self._refuse_to_release_others()
        self._put(text)
        self._release(reason)

    def released(self) -> str | None:
        """Return the value that is released, gray releases aside; ``None`` when there is none.

        Raises ``PublishError`` when the portal does not say.
        """
        return self._released().get(self._place.key)

    def close(self) -> None:
        """Close the connection."""
        self._web.close()

    def _refuse_to_release_others(self) -> None:
        if self._place.key == CONTENT:
            return
        waiting = self._waiting()
        if waiting:
            names = ", ".join(excerpt(name) for name in waiting[:_MAX_SHOWN])
            raise PublishError(
                f"other changes of the namespace {self._namespace} wait to be released, and would "
                f"be released along: {names}; release or revert them first"
            )

    def _waiting(self) -> list[str]:
        drafts = {item.key: item.value for item in self._items() if item.key}
        released = self._released()
        names = sorted({*drafts, *released} - {self._place.key})
        return [name for name in names if drafts.get(name) != released.get(name)]

    def _released(self) -> dict[str, str]:
        return self._read(f"{self._path}/releases/latest", _Release).configurations

    def _items(self) -> list[_Item]:
        return self._read(self._path, _Namespace).items

    def _put(self, text: str) -> None:
        key, operator = self._place.key, self._operator
        item = {
            "key": key,
            "value": text,
            "dataChangeCreatedBy": operator,
            "dataChangeLastModifiedBy": operator,
        }
        query = urlencode({"createIfNotExists": "true", "operator": operator})
        self._ask("PUT", f"{self._path}/items/{quote(key, safe='')}?{query}", item)

    def _release(self, reason: str) -> None:
        release = {
            "releaseTitle": "tracedclient flag",
            "releaseComment": reason,
            "releasedBy": self._operator,
        }
        query = urlencode({"operator": self._operator})
        try:
            self._ask("POST", f"{self._path}/releases?{query}", release)
        except PublishError as error:
            raise PublishError(f"the item is changed, but not released: {error}") from error

    def _read(self, path: str, kind: type[T]) -> T:
        body = self._ask("GET", path).body
        try:
            # A namespace that was never released has an empty answer.
            return msgspec.json.decode(body or b"{}", type=kind)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            words = excerpt(str(error))
            raise PublishError(f"the answer to GET {path} is not the portal's: {words}") from None

    def _ask(self, method: str, path: str, value: object = None) -> Answer:
        headers = {"Authorization": self._token, "Accept": "application/json"}
        if value is not None:
            headers["Content-Type"] = "application/json;charset=UTF-8"
        body = None if value is None else msgspec.json.encode(value)
        url = self._portal + path
        try:
            answer = self._web.request(
                method, url, headers=headers, body=body, cancel=threading.Event()
            )
        except SourceError as error:
            raise PublishError(f"{method} {path.partition('?')[0]}: {error}") from error
        if answer.status != 200:
            raise PublishError(f"{method} {parse_url(url).shown}: {_in_words(url, answer)}")
        return answer


def _in_words(url: str, answer: Answer) -> str:
    try:
        message = msgspec.json.decode(answer.body, type=_Failure).message
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        message = ""
    return f"{refusal(url, answer)}{f': {excerpt(message, 200)}' if message else ''}"
