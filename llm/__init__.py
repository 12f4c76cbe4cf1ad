"""The package of The Literate LLM.

Written by the literate tool: run `./build.sh tangle`.
"""

__version__ = "0.4.0"
