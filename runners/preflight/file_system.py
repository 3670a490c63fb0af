"""On what kind of disk a folder lies: locks and the journal need a local one (`recovery.md` 13)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "davfs", "ceph", "lustre", "vboxsf", "drvfs",
    "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.davfs", "fuse.gvfsd-fuse", "fuse.vmhgfs-fuse",
    "fuse.grpcfuse", "fuse.osxfs",
})  # fmt: skip
"""File systems whose locks or shared memory do not hold across machines."""
SYNCHRONISED = re.compile(
    r"^(onedrive\b.*|dropbox\b.*|google ?drive|my drive|icloud ?drive|mobile documents|nextcloud)$"
)
"""Names of folders that a cloud service copies while they are written."""
_OCTAL = re.compile(r"\\([0-7]{3})")
_WINDOWS_REMOTE = 4


def remote(path: Path, mounts: str | None = None) -> str | None:
    """Say why a folder is no local one.

    Parameters
    ----------
    path
        Of a folder that is there.
    mounts
        Text of Linux' table of mounts; None reads it.

    Returns
    -------
    str or None
        Kind of share; None for a local disk, and where the system does not tell.
    """
    place = path.resolve()
    cloud = next((part for part in place.parts if SYNCHRONISED.match(part.lower())), None)
    if cloud is not None:
        return f"a synchronised folder ({cloud})"
    if sys.platform == "win32":
        return _windows(place)
    if mounts is None:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace") if MOUNTS.exists() else ""
    kind = _kind(place, mounts)
    return f"a network share ({kind})" if kind in NETWORK else None


def _kind(place: Path, mounts: str) -> str:
    """File system of the mount that holds a path: of those at the same point the last one counts."""
    found = (Path("/"), "")
    for line in mounts.splitlines():
        head, _, tail = line.partition(" - ")
        fields = head.split()
        if len(fields) < 5 or not tail:
            continue
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        if place.is_relative_to(point) and len(point.parts) >= len(found[0].parts):
            found = (point, tail.split()[0])
    return found[1]


def _windows(place: Path) -> str | None:
    if place.drive.startswith("\\\\"):
        return f"a network share ({place.drive})"
    if sys.platform != "win32":
        return None
    import ctypes  # noqa: PLC0415 - only Windows has the call

    kind = ctypes.WinDLL("kernel32").GetDriveTypeW(f"{place.drive}\\")
    return f"a network drive ({place.drive})" if kind == _WINDOWS_REMOTE else None
