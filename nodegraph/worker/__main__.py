"""``python -m nodegraph.worker``: runs the jobs that come on standard input."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Keep the two streams to the server for messages alone, then begin.

    Whatever a node or a library prints must not come between messages: file descriptor 1 becomes that of
    standard error, and 0 that of an empty file, before anything else is imported.
    """
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    sys.stdout = sys.stderr

    from nodegraph.worker.child import serve

    marks = int(sys.argv[1]) if len(sys.argv) > 1 else None
    serve(os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb"), marks)


if __name__ == "__main__":
    main()
