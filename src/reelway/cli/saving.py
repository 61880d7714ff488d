"""Writes a finished file to disk: what broke off is resumed, and the name appears only when every byte is there.

The part lies next to its target and carries the video's id, so a later run may go on with it: content never changes.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from reelway.cli.client import Answer, Client, ConnectionBroke, ServerFailed
from reelway.cli.exits import CommandFailed, Exit

__all__ = ["check_target", "save"]

_PIECE_BYTES = 1 << 18
_BREAKS_IN_A_ROW = 5

Report = Callable[[int, int | None], None]
"""Called with the bytes so far and the bytes in all, where known."""


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raise unless the file can be written later; asked before anything is created or charged."""
    folder = target.parent
    if not folder.is_dir():
        raise CommandFailed(f"{folder}: there is no such folder; create it or choose another with -o.", Exit.INVALID)
    if target.is_dir():
        raise CommandFailed(f"{target}: is a folder; name the file to write with -o.", Exit.INVALID)
    if target.exists() and not overwrite:
        raise CommandFailed(
            f"{target}: is there already; add --force to replace it, or choose another with -o.", Exit.INVALID
        )
    if not os.access(folder, os.W_OK):
        raise CommandFailed(f"{folder}: cannot be written to; choose another folder with -o.", Exit.MACHINE)


def save(
    client: Client,
    video_id: str,
    target: Path,
    *,
    variant: str = "video",
    index: int = 0,
    sha256: str | None = None,
    report: Report | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Download one file of a video; return its size in bytes."""
    part = target.with_name(f".{target.name}.{video_id}-{variant}-{index}.part")
    try:
        size = _fetch(client, video_id, part, {"variant": variant, "index": str(index)}, report, sleep)
        if sha256 is not None and _digest(part) != sha256:
            part.unlink()
            raise CommandFailed(
                f"{target}: what arrived differs from what the server measured; it was thrown away, try again.",
                Exit.FAILED,
            )
        part.replace(target)
    except OSError as error:
        raise CommandFailed(
            f"{target}: cannot be written ({error.strerror or error}). The video is safe on the server; "
            f"`reelway videos download {video_id} -o FILE` fetches it again.",
            Exit.MACHINE,
        ) from error
    return size


def _fetch(
    client: Client,
    video_id: str,
    part: Path,
    query: dict[str, str],
    report: Report | None,
    sleep: Callable[[float], None],
) -> int:
    breaks = 0
    while True:
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        broke: CommandFailed = ConnectionBroke(
            f"the connection to {client.address} breaks again and again; try later, what arrived is kept.",
            Exit.UNREACHABLE,
        )
        try:
            with client.request("GET", f"/v1/videos/{video_id}/content", query=query, headers=headers) as answer:
                size, total = _append(answer, part, have, report)
            if total is None or size == total:
                return size
        except (ConnectionBroke, ServerFailed) as error:
            broke = error
            size = part.stat().st_size if part.exists() else 0
        except CommandFailed as error:
            if not have or error.exit_code is not Exit.INVALID:
                raise
            part.unlink()  # the server refuses the range: the part is not a beginning of this file
            continue
        breaks = 0 if size > have else breaks + 1
        if breaks > _BREAKS_IN_A_ROW:
            raise broke
        sleep(0.5 * (breaks + 1))


def _append(answer: Answer, part: Path, have: int, report: Report | None) -> tuple[int, int | None]:
    """Write the answer behind what is there; return the size now and the size it should get."""
    resumed = answer.status == 206
    size = have if resumed else 0
    total = _total(answer, size)
    with part.open("ab" if resumed else "wb") as file:
        while piece := answer.body.read(_PIECE_BYTES):
            file.write(piece)
            size += len(piece)
            if report:
                report(size, total)
        file.flush()
        os.fsync(file.fileno())
    return size, total


def _total(answer: Answer, start: int) -> int | None:
    whole = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("content-range", ""))
    if whole:
        return int(whole[1])
    length = answer.headers.get("content-length", "")
    return start + int(length) if length.isdigit() else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
