"""Names of files as clients send them: what is accepted as a name, and how it is looked up in a folder.

A name is refused unless it means one file of one folder on every system that the folder may be copied to:
Windows takes ``CON`` for a device, ``a:b`` for a stream of ``a`` and drops trailing dots; Unicode has
letters that become dots and slashes, and ones that are not seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from nodegraph.server.problems import Problem

MAX_NAME_BYTES = 200
"""Of the 255 that file systems allow; the rest is for `` (12)`` and the names of unfinished files."""
MAX_DEPTH = 8
MAX_SUBFOLDER_BYTES = 1000

SLASHES = "\u2044\u2215\u29f5\u29f8\u29f9"
"""Letters that look like slashes; those that become some are found by normalizing."""
RESERVED = '<>:"|?*'
"""What Windows allows in no name."""
JOINERS = "\u200c\u200d"
"""Letters that are not seen but that words and emoji need."""
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of letters that are not seen, or mean nothing."""

DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])\s*(\.|$)", re.I
)
ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
USER_FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def unsafe_name(name: str, why: str) -> Problem:
    """The answer to a name that is none."""
    return Problem(400, "invalid_request", f"{name[:100]!r} cannot be the name of a file: {why}")


def safe_name(name: str, given: str | None = None) -> str:
    """A file name in composed form (NFC), as it is written to disk.

    Args:
        name: the name of one file.
        given: what a client called it, where that is not its name; a refusal names this.

    Raises:
        Problem: it is not the plain name of one file.
    """
    for form in (unicodedata.normalize("NFC", name), unicodedata.normalize("NFKC", name)):
        why = _fault(form)
        if why:
            raise unsafe_name(given or name, why)
    composed = unicodedata.normalize("NFC", name)
    why = _plain_fault(composed)
    if why:
        raise unsafe_name(given or name, why)
    return composed


def _fault(name: str) -> str | None:
    """What is wrong with a name, whichever way its letters are normalized."""
    if not name:
        return "it is empty"
    if "/" in name or "\\" in name:
        return "it has a slash; a folder is given apart from the name"
    if any(unicodedata.category(c) in HIDDEN and c not in JOINERS for c in name):
        return "it has letters that are not seen"
    if name.startswith((".", " ")):
        return "it begins with a dot or a space"
    if name.endswith((".", " ")):
        return "it ends with a dot or a space"
    if DEVICE.match(name):
        return "Windows takes it for a device"
    return None


def _plain_fault(name: str) -> str | None:
    if any(letter in SLASHES for letter in name):
        return "it has a letter that looks like a slash"
    if any(letter in RESERVED for letter in name):
        return f"it has one of {RESERVED}"
    if ESCAPE.search(name):
        return "it is percent-encoded twice"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"it is longer than {MAX_NAME_BYTES} bytes"
    return None


def safe_subfolder(subfolder: str) -> PurePosixPath:
    """A folder below one of the server's, as clients name it: ``""`` or ``a/b``.

    Raises:
        Problem: it leads out, or a part of it is not a plain name.
    """
    if not subfolder:
        return PurePosixPath()
    if len(subfolder.encode(errors="replace")) > MAX_SUBFOLDER_BYTES:
        raise unsafe_name(subfolder, "it is too long")
    parts = subfolder.removesuffix("/").split("/")
    if len(parts) > MAX_DEPTH:
        raise unsafe_name(subfolder, f"it is deeper than {MAX_DEPTH} folders")
    return PurePosixPath(*map(safe_name, parts))


def user_folder(user: str) -> str:
    """The folder of a user: the name itself where that is plain, else one that no plain name is.

    Two users never share a folder, not even where ``Ann`` and ``ann`` are the same name of a file.
    """
    if USER_FOLDER.fullmatch(user) and not DEVICE.match(user):
        return user
    import hashlib

    return f"_{hashlib.sha256(user.encode(errors='surrogatepass')).hexdigest()[:40]}"


def find_inside(roots: Iterable[Path], subfolder: PurePosixPath, name: str) -> Path | None:
    """The file of that name in the first folder that has it; never one that a link leads out to.

    Returns:
        Its real path, with every link resolved.
    """
    for root in roots:
        real, home = (root / subfolder / name).resolve(), root.resolve()
        if real.is_relative_to(home) and real.is_file():
            return real
    return None


def make_inside(root: Path, subfolder: PurePosixPath) -> Path:
    """The folder to write to, which is made if need be.

    Raises:
        Problem: a link of that name leads out of ``root``, or a file has the name of a folder.
    """
    folder = root / subfolder
    if not folder.resolve().is_relative_to(root.resolve()):
        raise unsafe_name(str(subfolder), "it leads out of the folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        if subfolder == PurePosixPath():
            raise  # the server's own folder is none: no other name would do
        raise Problem(409, "conflict", f"{subfolder} cannot be a folder: a file is called so") from None
    return folder.resolve()
