"""How much memory a process has had at most, as the kernel counts it since that program began.

Not ``ru_maxrss``: a child begins with what its parent has, and the parent here holds the simulated services.
"""

import contextlib
import os
import re
import time
from pathlib import Path

_EVERY = 0.02
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def peak(process):
    """MB; 0 when it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if found := _PEAK.search(Path(f"/proc/{process}/status").read_text()):
            return int(found[1]) * 1024 / 1e6
    return 0.0


def forget_peak(process):
    """From now on the peak is of what comes (man proc_pid_clear_refs)."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def ended(process):
    """Wait for the end of a ``Popen``: what it used of the processor (``rusage``), and its peak."""
    highest = 0.0
    while True:
        highest = max(highest, peak(process.pid))
        there, status, usage = os.wait4(process.pid, os.WNOHANG)
        if there:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage, highest
        time.sleep(_EVERY)
