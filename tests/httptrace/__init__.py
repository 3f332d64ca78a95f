"""Go's own tests of ``net/http/httptrace``, written again for ``ClientTrace``, and what Go lacks.

Each test names the Go test that it follows. What differs, what has no counterpart here, and the
order of the hooks in each situation are in docs/httptrace.md; ``tests/peers`` runs Go beside us.
"""
