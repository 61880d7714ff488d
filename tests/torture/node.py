"""A node of the fleet under torture: `reelway serve` as users run it, with a clock that can be set and, to prove that the harness
bites, with one promise broken.

`TORTURE_CLOCK` names a file with eight bytes, how many seconds this node's clock is ahead. `TORTURE_BREAK` names a promise.
Libraries that lie to a process about the time lie about timeouts too, or hang it; this touches `time.time` alone, as NTP does.
"""

import ctypes
import mmap
import os
import time
from pathlib import Path

__all__ = ["CLOCK_VARIABLE", "SABOTAGE_VARIABLE", "set_clock"]

CLOCK_VARIABLE = "TORTURE_CLOCK"
SABOTAGE_VARIABLE = "TORTURE_BREAK"
_BYTES = 8


def set_clock(path: Path, ahead_seconds: float) -> None:
    """Let the node that has this file be so many seconds ahead from now on."""
    data = bytes(ctypes.c_double(ahead_seconds))
    if not path.exists():
        path.write_bytes(data)
        return
    with path.open("r+b") as file:  # in place: the node has it mapped
        file.write(data)


def _shift_clock(path: Path) -> None:
    with path.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), _BYTES)
    ahead = ctypes.c_double.from_buffer(shared)
    real = time.time
    time.time = lambda: real() + ahead.value  # type: ignore[assignment]


def main() -> None:
    """Bend the clock, break the promise, then be `reelway`."""
    if path := os.environ.get(CLOCK_VARIABLE):
        _shift_clock(Path(path))
    if promise := os.environ.get(SABOTAGE_VARIABLE):
        from tests.torture.sabotage import SABOTAGES

        SABOTAGES[promise]()
    from reelway.cli.main import main as reelway

    reelway()


if __name__ == "__main__":
    main()
