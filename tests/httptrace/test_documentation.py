"""docs/httptrace.md tells the differences from Go as the comparison with Go applies them."""

from __future__ import annotations

from peers.differences import DIFFERENCES

from httptrace.test_orders import DOCS


def test_the_published_differences_are_those_applied():
    """The table of the documentation and that of the comparison have the same rows."""
    _, table = DOCS.split("| scenario | hook | Go | here |\n|---|---|---|---|\n")
    published = [tuple(row.strip("| ").split(" | ")) for row in table.strip().splitlines()]

    assert published == [
        ("; ".join(each.where), each.hook, each.go, each.here) for each in DIFFERENCES
    ]
