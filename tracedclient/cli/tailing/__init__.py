"""``tracedclient tail [FILE…|-]``: the calls of a running service, as their traces are written.

feed     files that grow, or the standard input → traces, as they come
oneline  a trace in one line
board    the newest calls, and those that failed or were slow, as a screen that is drawn again
command  the command line
"""
