"""``python -m nodegraph`` is the command line."""

from nodegraph.cli import main

main()
