"""The fault laboratory: what the client does when everything around it fails.

``cases`` holds scenarios as data, ``toxics`` a proxy that spoils a connection, ``torture`` fails one
call of a socket after another, ``schedule`` a server that misbehaves as it is told to. Which test
keeps which of the scenarios T1 to T88 is in docs/faults.md.
"""
