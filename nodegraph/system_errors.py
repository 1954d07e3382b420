"""What the operating system refuses, in words that say where, why, and what would do."""

from __future__ import annotations

import errno

LONGEST = 1000
RIGHTS = "let this user use it, or name another place"
ROOM = "make room on that disk, or name another place"
FOLDER = "something else has the name of a folder; move it away, or name another place"
REMEDIES = {
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.EROFS: RIGHTS,
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.ENOTDIR: FOLDER,
    errno.EEXIST: FOLDER,
}


def system_reason(error: OSError) -> str:
    """Why the system refused, and what would do where that is known: ``Permission denied; give …``."""
    reason = error.strerror or str(error) or type(error).__name__
    remedy = REMEDIES.get(error.errno or 0)
    return f"{reason}; {remedy}" if remedy else reason


def system_message(error: OSError) -> str:
    """The same, with the path before it where the error has one."""
    if error.filename is None:
        return system_reason(error)
    path = str(error.filename)
    return f"{path if len(path) <= LONGEST else f'{path[:LONGEST]}…'}: {system_reason(error)}"
