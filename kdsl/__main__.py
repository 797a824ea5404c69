"""`python -m kdsl`: the same as the command `kdsl`."""

import sys

from kdsl.cli import main

sys.exit(main())
