"""Locks and journal need a local disk: shares and synchronised folders are told apart from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.preflight.file_system import remote

MOUNTS = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:40 / /data rw,relatime shared:7 - nfs4 server:/export rw
41 40 0:41 / /data/fast rw,relatime - xfs /dev/vdb rw
42 27 0:42 / /my\\040share rw,relatime - cifs //host/share rw
43 27 0:43 / /mnt/c rw,noatime - 9p drvfs rw
44 27 0:44 / /over rw - ext4 /dev/vdc rw
45 44 0:45 / /over rw - fuse.sshfs me@host: rw
"""


@pytest.mark.req("O-2", "L-6")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/state", None),
        ("/data/state", "a network share (nfs4)"),
        ("/data/fast/state", None),
        ("/database/state", None),
        ("/my share/state", "a network share (cifs)"),
        ("/mnt/c/state", "a network share (9p)"),
        ("/over/state", "a network share (fuse.sshfs)"),
        ("/home/me/Dropbox/state", "a synchronised folder (Dropbox)"),
        ("/home/me/OneDrive - Company/state", "a synchronised folder (OneDrive - Company)"),
        ("/home/me/onedriver/state", None),
    ],
)
@pytest.mark.skipif("sys.platform == 'win32'", reason="the table of mounts is Linux'")
def test_what_is_no_local_disk_is_named(path: str, kind: str | None) -> None:
    assert remote(Path(path), MOUNTS) == kind


def test_a_system_without_a_table_of_mounts_is_taken_for_local(tmp_path: Path) -> None:
    assert remote(tmp_path, "") is None
    assert remote(tmp_path) is None
