"""Follows a video until it is final: over server-sent events, and by asking again where these break or are not there.

A server that restarts in between is waited for; only the caller's time limit, or a long outage, ends the watch.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from reelway.cli.client import Client, ConnectionBroke, ServerFailed
from reelway.cli.exits import CommandFailed, Exit

__all__ = ["FINAL_STATUSES", "watch"]

FINAL_STATUSES = frozenset({"completed", "failed"})
_SILENCE_SECONDS = 45.0
_OUTAGE_SECONDS = 60.0
_HOLD_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_SILENT_STREAMS = 3


class _Limit:
    """How much time is left."""

    def __init__(self, video_id: str, seconds: float | None, clock: Callable[[], float]) -> None:
        self._video_id, self._seconds, self._clock = video_id, seconds, clock
        self._end = None if seconds is None else clock() + seconds

    def left(self, longest: float) -> float:
        """Return the seconds left, at most `longest`; raise when there are none."""
        if self._end is None:
            return longest
        left = self._end - self._clock()
        if left <= 0:
            raise CommandFailed(
                f"{self._video_id} is not finished after {self._seconds:g} seconds and goes on; "
                f"`reelway videos wait {self._video_id}` picks it up again.",
                Exit.TIMED_OUT,
            )
        return min(left, longest)


def watch(
    client: Client,
    video_id: str,
    *,
    timeout_seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """Yield the video as it is now, then on every change, last when it is final."""
    return _Watch(client, video_id, _Limit(video_id, timeout_seconds, clock), clock, sleep).run()


class _Watch:
    """One video being followed."""

    def __init__(
        self,
        client: Client,
        video_id: str,
        limit: _Limit,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._client, self._video_id, self._limit = client, video_id, limit
        self._clock, self._sleep = clock, sleep
        self._last_event = ""
        self._silent_streams = 0
        """Streams in a row that brought nothing; after a few of them we only ask."""
        self._outage_began: float | None = None

    def run(self) -> Iterator[dict[str, Any]]:
        """Yield every version of the video that is learnt of."""
        video, _ = self._client.read(self._video_id)
        yield video
        while video["status"] not in FINAL_STATUSES:
            try:
                if self._silent_streams < _SILENT_STREAMS:
                    self._silent_streams += 1
                    for told in self._events():
                        self._silent_streams, self._outage_began = 0, None
                        video = told
                        yield video
                if video["status"] not in FINAL_STATUSES:
                    video = self._ask()
                    yield video
            except (ConnectionBroke, ServerFailed) as error:
                self._bear_outage(error)

    def _ask(self) -> dict[str, Any]:
        """Ask once, letting the server hold the answer for a while; pause first where there are no events to wait for."""
        if self._silent_streams >= _SILENT_STREAMS:
            self._sleep(self._limit.left(_PAUSE_SECONDS))
        video, _ = self._client.read(self._video_id, wait_seconds=round(self._limit.left(_HOLD_SECONDS), 1))
        self._outage_began = None
        return video

    def _bear_outage(self, error: CommandFailed) -> None:
        """Wait a moment; raise the error when the server has been away for too long."""
        now = self._clock()
        self._outage_began = now if self._outage_began is None else self._outage_began
        if now - self._outage_began > _OUTAGE_SECONDS:
            raise error
        self._sleep(self._limit.left(_PAUSE_SECONDS))

    def _events(self) -> Iterator[dict[str, Any]]:
        """Yield what one stream brings; end quietly when it breaks or is not offered."""
        headers = {"Accept": "text/event-stream"}
        if self._last_event:
            headers["Last-Event-ID"] = self._last_event
        silence = self._limit.left(_SILENCE_SECONDS)
        path = f"/v1/videos/{self._video_id}/events"
        try:
            with self._client.request("GET", path, headers=headers, timeout_seconds=silence, tries=1) as answer:
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    yield from self._read_events(answer.body)
        except ConnectionBroke:
            self._limit.left(_PAUSE_SECONDS)
        except CommandFailed as error:
            if error.exit_code is Exit.TIMED_OUT:
                raise

    def _read_events(self, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        data: list[str] = []
        for raw in lines:
            self._limit.left(_PAUSE_SECONDS)
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line.startswith("id:"):
                self._last_event = line[3:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif not line and data:
                video = _video_in("\n".join(data))
                data = []
                if video is not None:
                    yield video


def _video_in(text: str) -> dict[str, Any] | None:
    """Return the video object an event carries, bare or in an envelope."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    for one in (value, value.get("video"), value.get("data")) if isinstance(value, dict) else ():
        if isinstance(one, dict) and one.get("object") == "video" and "status" in one:
            return one
    return None
