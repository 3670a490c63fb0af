"""A process that is meant for good: its number and the instant of its creation, so that a number that was given anew is never hit.

Windows keeps a handle, Linux a descriptor of the process; elsewhere number and creation are compared right before the signal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ENDED_STATES = frozenset({"Z", "X", "x"})
"""States in Linux' table of a process that has ended and waits for its parent: it holds nothing any more."""


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """Who a process is.

    Attributes
    ----------
    pid
        Its number.
    created
        When it was created, as the system counts it; "" where the system does not tell.
    """

    pid: int
    created: str


def own_mark() -> ProcessMark:
    """Of this process."""
    return ProcessMark(os.getpid(), created_of(os.getpid()) or "")


def created_of(pid: int) -> str | None:
    """When a process was created; None where there is none of that number (or it has ended)."""
    if sys.platform == "win32":
        return _created_on_windows(pid)
    if Path("/proc/self/stat").exists():
        return _created_on_linux(pid)
    return _created_by_ps(pid)


def _created_on_linux(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in _ENDED_STATES else fields[19]


def _created_by_ps(pid: int) -> str | None:
    shown = subprocess.run(  # noqa: S603 - a number of our own
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() or None


class ProcessHandle:
    """Holds on to one process.

    Parameters
    ----------
    mark
        Which one; a process of the same number with another creation is not it.
    """

    def __init__(self, mark: ProcessMark) -> None:
        self.mark = mark
        self._held: Any = None
        if self.alive:
            self._hold()

    @property
    def alive(self) -> bool:
        """Whether it still runs (or hangs)."""
        return bool(self.mark.created) and created_of(self.mark.pid) == self.mark.created

    def kill(self) -> str | None:
        """End it at once, whatever it does; return why that was not possible, or None. It may take a moment to be gone."""
        if not self.alive:
            return None
        try:
            if sys.platform == "win32":
                return None if _terminate(self._held) else f"process {self.mark.pid} cannot be ended"
            if sys.platform == "linux" and self._held is not None:
                signal.pidfd_send_signal(self._held, signal.SIGKILL)
            else:
                os.kill(self.mark.pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        except OSError as error:
            return f"process {self.mark.pid} cannot be ended: {error.strerror or error}"
        return None

    def close(self) -> None:
        """Let go of it."""
        held, self._held = self._held, None
        if held is None:
            return
        if sys.platform == "win32":
            _close_handle(held)
        else:
            os.close(held)

    def _hold(self) -> None:
        if sys.platform == "win32":
            self._held = _open_process(self.mark.pid)
        elif sys.platform == "linux":
            with suppress(OSError):  # an old kernel: number and creation are compared instead
                self._held = os.pidfd_open(self.mark.pid)
        if not self.alive:  # it ended between the two, and the number may be another's
            self.close()


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _TERMINATE, _QUERY = 0x0001, 0x1000
    _STILL_ACTIVE = 259
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.OpenProcess.restype = wintypes.HANDLE
    _kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    _kernel.GetProcessTimes.argtypes = (wintypes.HANDLE, *[ctypes.POINTER(wintypes.FILETIME)] * 4)
    _kernel.GetExitCodeProcess.argtypes = (wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD))
    _kernel.TerminateProcess.argtypes = (wintypes.HANDLE, wintypes.UINT)
    _kernel.CloseHandle.argtypes = (wintypes.HANDLE,)

    def _open_process(pid: int) -> Any:
        return _kernel.OpenProcess(_TERMINATE | _QUERY, False, pid) or None

    def _terminate(held: Any) -> bool:
        return held is not None and bool(_kernel.TerminateProcess(held, 1))

    def _close_handle(held: Any) -> None:
        _kernel.CloseHandle(held)

    def _created_on_windows(pid: int) -> str | None:
        held = _kernel.OpenProcess(_QUERY, False, pid)
        if not held:
            return None
        try:
            code, times = wintypes.DWORD(), [wintypes.FILETIME() for _ in range(4)]
            known = _kernel.GetExitCodeProcess(held, ctypes.byref(code)) and _kernel.GetProcessTimes(
                held, *(ctypes.byref(one) for one in times)
            )
            if not known or code.value != _STILL_ACTIVE:
                return None
            return str((times[0].dwHighDateTime << 32) + times[0].dwLowDateTime)
        finally:
            _kernel.CloseHandle(held)
