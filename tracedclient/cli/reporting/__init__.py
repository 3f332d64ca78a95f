"""``tracedclient report``: thousands of traces → what went wrong, where, since when.

calls       a line → the few fields of it that are counted
histogram   times → counts in log-scale buckets → percentiles
timeline    calls over time, in as many buckets as a chart has room for
statistics  calls → counts by group, over time, by verdict
slowest     the traces that are worth showing whole
streaming   files → statistics, in plain Python and bounded memory
duck        files → the same statistics by DuckDB
sampling    from which duration on DuckDB is to keep a trace
progress    how far it is, on stderr
findings    statistics → tables, the same for every format
compare     two statistics → what differs, in words
text markdown as_json page   the formats; markup charts bars traces: what the HTML page is made of
command     the command line
"""
