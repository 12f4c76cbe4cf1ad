"""`python -m llm` is the command line.

Written by the literate tool: run `./build.sh tangle`.
"""

import sys

from llm.cli import main

if __name__ == "__main__":
    sys.exit(main())
