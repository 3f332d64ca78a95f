"""One suite for every source of the debug flag, on its real server.

``rig`` says what a source brings to take part, ``rigs`` who does. ``python -m sources.propagation``
(with ``tests`` on the path) prints how long a flip takes with each.
"""
