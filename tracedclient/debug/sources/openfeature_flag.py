"""One flag of an OpenFeature client → a document, or words that say why there is none.

Imported only by an ``OpenFeatureSource``, for it needs openfeature-sdk. Only its synchronous calls
are used: in 0.10 an asynchronous one that is cancelled fails on an unbound variable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.provider import ProviderStatus
from openfeature.provider.no_op_provider import NoOpProvider

from tracedclient.debug.source import Absent, Document, SourceError
from tracedclient.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from openfeature.flag_evaluation import FlagEvaluationDetails
    from openfeature.provider import FeatureProvider

Details: TypeAlias = "FlagEvaluationDetails[Any]"

_NO_DEFAULT: dict[str, Any] = {}
"""The default of an evaluation as an object: no flag document is empty."""


class Flag:
    """A flag as its provider evaluates it now, always for the same context.

    Raises ``TypeError`` when ``client`` is not an ``OpenFeatureClient``, or ``context`` not an
    ``EvaluationContext``.
    """

    def __init__(self, client: OpenFeatureClient, key: str, context: Any) -> None:
        check_client(client)
        check_context(context)
        self._client = client
        self._key = key
        self._context = context
        self._is_boolean = False

    @property
    def provider(self) -> FeatureProvider:
        return self._client.provider

    def subscribe(self, callback: Callable[[object], None]) -> None:
        """Call ``callback(details)`` in a thread of the SDK at each event of the provider."""
        for event in ProviderEvent:
            self._client.add_handler(event, callback)

    def unsubscribe(self, callback: Callable[[object], None]) -> None:
        for event in ProviderEvent:
            # They are gone after openfeature.api.clear_handlers() or shutdown().
            with suppress(ValueError):
                self._client.remove_handler(event, callback)

    def is_starting(self) -> bool:
        return self._client.get_provider_status() is ProviderStatus.NOT_READY

    def trouble(self) -> str | None:
        """Why the provider's answers may be old, if it says so itself."""
        status = self._client.get_provider_status()
        if status is ProviderStatus.STALE:
            return f"{self._provider_name()} says that its flags are stale"
        if status is ProviderStatus.ERROR:
            return f"{self._provider_name()} is in error; its flags may be old"
        return None

    def evaluate(self) -> Document | Absent:
        """Return the document, or ``Absent`` when the provider knows no such flag, or disabled it.

        Raises ``SourceError`` when it cannot tell.
        """
        if isinstance(self.provider, NoOpProvider):
            raise SourceError(
                "the OpenFeature client has no provider: call openfeature.api.set_provider(), "
                "for the client's domain if it has one"
            )
        details = self._details()
        if details.error_code is ErrorCode.FLAG_NOT_FOUND:
            return Absent()
        if details.error_code is not None:
            raise SourceError(self._error(details))
        if not details.value and str(details.reason) in {"DEFAULT", "DISABLED"}:
            return Absent()
        return self._document(details.value)

    def _details(self) -> Details:
        if self._is_boolean:
            details = self._as_boolean()
            if details.error_code is not ErrorCode.TYPE_MISMATCH:
                return details
        details = self._as_object()
        self._is_boolean = details.error_code is ErrorCode.TYPE_MISMATCH
        if self._is_boolean or (details.error_code is None and not details.value):
            # A provider whose flags have no type, such as Unleash's, gives back the default.
            return self._as_boolean()
        return details

    def _as_object(self) -> Details:
        return self._client.get_object_details(self._key, _NO_DEFAULT, self._context)

    def _as_boolean(self) -> Details:
        return self._client.get_boolean_details(self._key, False, self._context)

    def _document(self, value: object) -> Document:
        try:
            body = msgspec.json.encode(_plain(value), order="deterministic")
        except (TypeError, ValueError, RecursionError) as error:
            raise SourceError(f"the flag {self._key} is not JSON: {error}") from error
        return Document(body, hashlib.sha256(body).hexdigest())

    def _error(self, details: Details) -> str:
        if details.error_code is ErrorCode.TYPE_MISMATCH:
            return f"the flag {self._key} must be a boolean or an object (JSON)"
        code = getattr(details.error_code, "value", details.error_code)
        words = redact_text(details.error_message or "")
        return f"{self._provider_name()} gave no value: {code}" + (f", {words}" if words else "")

    def _provider_name(self) -> str:
        return f"the OpenFeature provider {self.provider.get_metadata().name}"


def check_client(client: object) -> None:
    if not isinstance(client, OpenFeatureClient):
        raise TypeError(
            "client must be an OpenFeatureClient (openfeature.api.get_client()), or a function "
            f"that returns one, not {type(client).__name__}"
        )


def check_context(context: object) -> None:
    if context is not None and not isinstance(context, EvaluationContext):
        raise TypeError(
            "context must be an openfeature.evaluation_context.EvaluationContext, "
            f"not {type(context).__name__}"
        )


def _plain(value: object) -> object:
    """``value`` as JSON has it: protobuf's numbers are all floats, and providers have own types."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    return value
