"""The nouns of a trace and what is computed from them. Frozen and pure: no I/O, no requests.

model     TraceResult and its parts, which are also the log line
timings   marks of events → durations of phases
verdict/  a finished trace → whose fault it was, in words
summary   the attempts of a call → its TraceResult
usual     the line of a usual call, without its record; figures: what is different in each
schema    TraceResult ⇄ JSON, the JSON Schema, and the cut to a line's size
ids       trace ids: validate, make; span_ids: those of a finished trace, as W3C has them
context   what travels from service to service; formats: in which headers (w3c, b3, baggage)
"""
