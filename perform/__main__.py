"""`python -m perform` is `perform`."""

import sys

from perform.cli import main

if __name__ == "__main__":
    sys.exit(main())
