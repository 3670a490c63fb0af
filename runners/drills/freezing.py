"""A process that stands still and goes on: SIGSTOP and SIGCONT on POSIX, NtSuspendProcess and NtResumeProcess on Windows.

The only place of the drills that depends on the system. Both stop all threads of the process at once and tell it nothing.
"""

from __future__ import annotations

import os
import signal
import sys

_SUSPEND_RESUME = 0x0800


def freeze(pid: int) -> None:
    """Let a process of our own stand still.

    Raises
    ------
    OSError
        When the system does not allow it.
    """
    if sys.platform == "win32":
        _on_windows("NtSuspendProcess", pid)
    else:
        os.kill(pid, signal.SIGSTOP)


def resume(pid: int) -> None:
    """Let it go on.

    Raises
    ------
    OSError
        When the system does not allow it.
    """
    if sys.platform == "win32":
        _on_windows("NtResumeProcess", pid)
    else:
        os.kill(pid, signal.SIGCONT)


if sys.platform == "win32":
    import ctypes

    def _on_windows(call: str, pid: int) -> None:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(_SUSPEND_RESUME, False, pid)
        if not handle:
            raise OSError(ctypes.get_last_error(), f"process {pid} cannot be opened")
        try:
            status = getattr(ctypes.WinDLL("ntdll"), call)(ctypes.c_void_p(handle))
        finally:
            kernel.CloseHandle(ctypes.c_void_p(handle))
        if status:
            raise OSError(status, f"{call} of process {pid} is refused")
