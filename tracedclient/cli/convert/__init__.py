"""A trace in the formats of other tools, and the command ``tracedclient convert`` that writes them.

har      HAR 1.2: a browser's network tab, and what reads its exports
otlp     OpenTelemetry's JSON lines: Jaeger, Grafana, the collector
zipkin   Zipkin's JSON, version 2: its API and its upload
chrome   the trace event format: ui.perfetto.dev, chrome://tracing, speedscope
parquet  columns for DuckDB, Spark, ClickHouse, pandas (extra ``report``); columns: their types
wire     what all of them show: the exchanges of a trace, also of one that was cut to its summary
sound    what a damaged or foreign record may hold, and no format can say
formats  the name of a format → its converter
command  ``tracedclient convert``; source: the traces of its files; target: where it writes

A converter is a pure function: an iterable of ``TraceResult`` → the pieces of one file, in order.
It holds one trace at a time (har: also a few words of each call).
"""
