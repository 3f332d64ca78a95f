"""The JSON line's formatter: python-json-logger's, with the keys an on-call engineer reads first."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.msgspec import MsgspecFormatter

from tracedclient.sinks.context import as_text
from tracedclient.sinks.line import LineRecord
from tracedclient.trace.moments import utc

if TYPE_CHECKING:
    import logging


class JsonLineFormatter(MsgspecFormatter):
    """One JSON object per line: ``timestamp``, ``level``, ``event``, then all that was bound.

    Fit for the application's own loggers too: their lines then have the same three keys, and a
    grep for a trace id finds both.
    """

    @cached_property
    def writes_lines(self) -> bool:
        """Whether a trace's line is all that this formatter would make of its record."""
        # Not every version of python-json-logger has all of them.
        settings = ("prefix", "defaults", "static_fields", "rename_fields", "timestamp")
        return (
            type(self) is JsonLineFormatter
            and not any(getattr(self, name, None) for name in settings)
            # A list of fields to put first, and one of those to leave out.
            and not self._required_fields
            and self.reserved_attrs == set(RESERVED_ATTRS)
        )

    def format(self, record: logging.LogRecord) -> str:
        if type(record) is not LineRecord:
            return super().format(record)
        return record.line

    def parse(self) -> list[str]:
        """Take no fields from a format string: which there are is decided in ``add_fields``."""
        return []

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        first = {
            "timestamp": utc(record.created),
            "level": record.levelname.lower(),
            "event": message_dict.get("event")
            if isinstance(record.msg, dict)
            else record.getMessage(),
        }
        log_data |= first
        super().add_fields(log_data, record, message_dict)
        # Once more: what was bound may bear the same names.
        log_data |= {**first, "logger": record.name}

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            return super().jsonify_log_record(log_data)
        except Exception:  # noqa: BLE001 - a lone surrogate or a huge int must not lose the line
            readable = {as_text(key): self._readable(value) for key, value in log_data.items()}
            return super().jsonify_log_record(readable)

    def _readable(self, value: Any) -> Any:
        """``value``, or its text when JSON, or its encoder, cannot say it."""
        try:
            super().jsonify_log_record({"": value})
        except Exception:  # noqa: BLE001 - as above
            return as_text(value)
        return value
