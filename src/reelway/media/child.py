"""The media process: reads chores from standard input, one at a time, and answers on standard output.

It never outlives the server: when standard input ends it stops at once, whatever it is doing.
"""

import contextlib
import ctypes
import errno
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

from reelway.media.chores import (
    LENGTH_BYTES,
    RECEIVED,
    Answer,
    Chore,
    Done,
    MakePictures,
    MakeVideo,
    Mishap,
    NoRoom,
    ReadImage,
    ReadVideo,
    Unreadable,
    WarmUp,
    decode_chore,
    encode,
    frame,
)
from reelway.media.spec import MediaUnreadableError

__all__ = ["main"]

_MEMORY_BYTES = 4 * 1024**3
_NICENESS = 5
_DIE_WITH_PARENT = 1
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def main() -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    _limit_memory()
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICENESS)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    chores: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, chores), daemon=True).start()
    while True:
        body = chores.get()
        answers.write(RECEIVED)
        _write(answers, frame(_do(body)))


def _write(answers: BinaryIO, message: bytes) -> None:
    view = memoryview(message)
    while view:
        view = view[answers.write(view) :]


def _listen(source: BinaryIO, chores: "queue.SimpleQueue[bytes]") -> None:
    """Pass on what arrives; a thread of its own, so that the end of the server is noticed in the middle of a chore."""
    while True:
        length = source.read(LENGTH_BYTES)
        if len(length) < LENGTH_BYTES:
            os._exit(0)
        chores.put(source.read(int.from_bytes(length, "big")))


def _do(body: bytes) -> Answer:
    try:
        return Done(value=encode(_perform(decode_chore(body))))
    except MediaUnreadableError as error:
        return Unreadable(message=str(error))
    except MemoryError:
        return Unreadable(message=f"decoding it takes more than {_MEMORY_BYTES // 1024**3} GiB of memory")
    except OSError as error:
        if error.errno in _NO_ROOM:
            return NoRoom(message=str(error))
        return Mishap(message=f"{type(error).__name__}: {error}")
    except Exception as error:
        return Mishap(message=f"{type(error).__name__}: {error}")


def _perform(chore: Chore) -> object:
    """Do it. The libraries are imported here: they are heavy, and an unneeded one is never loaded."""
    match chore:
        case WarmUp():
            import reelway.media.painting.film
            import reelway.media.pictures  # noqa: F401
        case ReadImage(path=path):
            from reelway.media.images import read_image_facts

            return read_image_facts(path)
        case ReadVideo(path=path):
            from reelway.media.probe import read_video_facts

            return read_video_facts(path)
        case MakePictures(path=path, folder=folder):
            from reelway.media.pictures import make_pictures

            return make_pictures(path, folder)
        case MakeVideo(spec=spec, target=target):
            from reelway.media.render import render

            render(spec, target)
    return None


def _die_with_parent() -> None:
    """Ask Linux to end this process with the server, even while a library holds the interpreter."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _limit_memory() -> None:
    """Let a hostile file run out of memory here and not on the whole machine."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    main()
