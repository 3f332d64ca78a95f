"""The JSON line's formatter: python-json-logger's, with the keys an on-call engineer reads first."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.msgspec import MsgspecFormatter

from tracedclient.sinks.json_log import utc

if TYPE_CHECKING:
    import logging


class JsonLineFormatter(MsgspecFormatter):
    """One JSON object per line: ``timestamp``, ``level``, ``event``, then all that was bound.

    Fit for the application's own loggers too: their lines then have the same three keys, and a
    grep for a trace id finds both.
    """

    def parse(self) -> list[str]:
        """Take no fields from a format string: which there are is decided in ``add_fields``."""
        return []

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        stamp = getattr(record, "timestamp", None)
        log_data["timestamp"] = stamp or utc(datetime.fromtimestamp(record.created, timezone.utc))
        log_data["level"] = record.levelname.lower()
        log_data["event"] = record.getMessage() if isinstance(record.msg, str) else None
        super().add_fields(log_data, record, message_dict)
        log_data["logger"] = record.name

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            return super().jsonify_log_record(log_data)
        except Exception:  # noqa: BLE001 - a lone surrogate or a huge int must not lose the line
            return json.dumps(log_data, default=str)
