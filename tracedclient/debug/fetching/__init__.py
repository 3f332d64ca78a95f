"""HTTP for the flag's sources: one attempt, bounded in time and size, cancellable, never traced.

web        one request, or the lines of an endless answer
wire       the one file that knows urllib3 and http.client
patient    sockets that look at a deadline and at a cancellation between two slices of waiting
dial       the lookup and the addresses
tls        certificate authorities, read anew when their file changes
url        a URL taken apart once, its path and query left as they are
arguments  what a source was given, checked
"""
