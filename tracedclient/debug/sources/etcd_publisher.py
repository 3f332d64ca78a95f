"""``EtcdPublisher``: puts the flag's document where ``EtcdSource`` reads it, for an operator."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tracedclient.debug.fetching.web import Web
from tracedclient.debug.sources.etcd import check_key, name_of, revision_of
from tracedclient.debug.sources.etcd_gateway import MAX_ANSWER, Gateway
from tracedclient.debug.sources.etcd_messages import WriteResponse, decode

if TYPE_CHECKING:
    from collections.abc import Sequence


class EtcdPublisher:
    """Writes one key. The arguments are those of ``EtcdSource``; the user must be let write.

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        key: str = "/tracedclient/flag",
        *,
        user: str | None = None,
        password: str | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxy: str | None = None,
        prefix: str = "/v3",
        connect: float = 1.0,
        total: float = 5.0,
    ) -> None:
        web = Web(
            connect=connect,
            total=total,
            verify=verify,
            cert=cert,
            proxy=proxy,
            max_bytes=MAX_ANSWER,
        )
        self._gateway = Gateway(endpoints, prefix=prefix, user=user, password=password, web=web)
        self._key = check_key(key)
        self.name = name_of(self._gateway, key)

    def publish(self, document: bytes) -> str:
        """Put ``document``, unread. Returns the revision that sources will show in their status.

        Raises ``SourceError``. It may then have been put nevertheless: the answer was lost.
        """
        if not isinstance(document, bytes):
            raise TypeError(f"document must be bytes, not {type(document).__name__}")
        written = self._write("/kv/put", {"key": self._key, "value": document})
        return revision_of(written.header.revision, document)

    def withdraw(self) -> bool:
        """Delete the key, which means off. Returns whether there was one. Raises ``SourceError``."""
        return self._write("/kv/deleterange", {"key": self._key}).deleted > 0

    def _write(self, method: str, message: dict[str, Any]) -> WriteResponse:
        return decode(self._gateway.ask(method, message, cancel=threading.Event()), WriteResponse)

    def close(self) -> None:
        """Close the connections."""
        self._gateway.close()
