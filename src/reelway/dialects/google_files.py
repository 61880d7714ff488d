"""Names of files as Google has them (`files/abc123`), made of the ids of our videos, and read back.

Google's own clients cut the name out of an address and stop at the first character that is no lower-case letter or digit
(google-genai 2.34 and 3.6). So the underscore of our ids becomes `u` and the place of the output follows an `i`: letters
that our ids do not use.
"""

import re
from datetime import UTC, datetime
from typing import Any

from reelway.core.errors import NotFound
from reelway.core.lifecycle import Status
from reelway.core.videos import Output, Video

__all__ = ["file_metadata", "file_name", "file_uri", "iso_time", "read_file_name", "video_in"]

_NAME = re.compile(r"([a-z0-9]+)i(\d{1,2})")
_ADDRESS = re.compile(r"(?:https?://[^?#]*/)?files/([a-z0-9]+)(?::download)?(?:\?[^#]*)?")
_GOOGLE = "googleapis.com/"
_PREFIX = "video_"
_CONTENT = "/v1/videos/"
"""Where the signed link to an output goes on after the address of the server."""


def file_name(video_id: str, index: int) -> str:
    """Return the name of an output, without `files/`."""
    return f"{video_id.removeprefix(_PREFIX).replace('_', 'u')}i{index}"


def read_file_name(name: str) -> tuple[str, int] | None:
    """Return the video and the place of the output that a name means, None when it is none of ours.

    In place of the name may stand a whole address: google-genai knows `https://` only and asks for `files/http://…` when
    its server is at an `http://` address.
    """
    match = _NAME.fullmatch(name.rpartition("files/")[2])
    return None if match is None else (_PREFIX + match[1].replace("u", "_"), int(match[2]))


def file_uri(video: Video, output: Output) -> str | None:
    """Return the address of an output: on the server that its link names. None when there is no link (any more)."""
    if output.url is None:
        return None
    server, found, _ = output.url.partition(_CONTENT)
    name = file_name(video.id, output.index)
    return f"{server}/v1beta/files/{name}:download?alt=media" if found else output.url


def video_in(uri: str) -> tuple[str, int] | None:
    """Return the video of ours that an address in a request means, None when it is another's."""
    match = None if _GOOGLE in uri else _ADDRESS.fullmatch(uri)
    return None if match is None else read_file_name(match[1])


def file_metadata(video: Video, index: int) -> dict[str, Any]:
    """Return the file of an output as the Files API shows it. Raises `NotFound` for an output that a finished video lacks."""
    name = f"files/{file_name(video.id, index)}"
    shown = {"name": name, "source": "GENERATED", "mimeType": "video/mp4", "createTime": iso_time(video.created_at)}
    if video.status is Status.FAILED:
        return shown | {"state": "FAILED"}
    if video.status is not Status.COMPLETED:
        return shown | {"state": "PROCESSING"}
    if index >= len(video.outputs):
        raise NotFound(
            f"{name} does not exist: the video has {len(video.outputs)} outputs, counted from 0", param="name"
        )
    output = video.outputs[index]
    address = file_uri(video, output)
    facts = {
        "mimeType": output.media_type,
        "sizeBytes": str(output.bytes),
        "updateTime": iso_time(video.completed_at),
        "expirationTime": iso_time(video.expires_at),
        "uri": None if address is None else address.partition(":download")[0],
        "downloadUri": address,
        "state": "ACTIVE",
        "videoMetadata": {"videoDuration": f"{output.seconds:g}s"},
    }
    return shown | {key: value for key, value in facts.items() if value is not None}


def iso_time(seconds: float | None) -> str | None:
    """Return a time as Google writes it."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
