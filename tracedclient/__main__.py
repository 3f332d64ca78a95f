"""``python -m tracedclient`` is the command ``tracedclient``."""

import sys

from tracedclient.cli import main

sys.exit(main())
