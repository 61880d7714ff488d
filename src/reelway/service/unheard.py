"""Tells a repetition from a second take, where a client sends again by itself and gives no sign of it.

The rule: who got the answer to a create goes on with the video, and so names it; who did not cannot. Until a video was named, the
same create from the same key is its repetition. Only if it comes at once is it another take: official clients rest before they
send again. What this process does not know counts as not named.
"""

from reelway.core.jobs import Job

__all__ = ["Unheard"]

_AT_ONCE_SECONDS = 0.3
"""google-genai and Ark's SDK rest for 0.375 seconds at least, and longer each time."""


class Unheard:
    """Remembers, for as long as clients go on repeating, when a create was answered and whether the video was named since."""

    def __init__(self, keep_seconds: float) -> None:
        self._keep_seconds = keep_seconds
        self._answered_at: dict[str, float] = {}
        self._named: set[str] = set()

    def answered(self, video_id: str, now: float) -> None:
        """Note that the create of this video is about to be answered."""
        while self._answered_at:
            oldest, at = next(iter(self._answered_at.items()))
            if at > now - self._keep_seconds:
                break
            del self._answered_at[oldest]
            self._named.discard(oldest)
        self._answered_at[video_id] = now

    def named(self, video_id: str) -> None:
        """Note that the caller knows the video."""
        if video_id in self._answered_at:
            self._named.add(video_id)

    def is_repetition(self, earlier: Job, arrived_at: float) -> bool:
        """Tell whether a create that arrived then, and asks for the same as this earlier job did, is the same wish.

        Who is called back has heard of a video when it has ended, and may have reason to ask again.
        """
        was_told = earlier.is_final and earlier.request.callback_url is not None
        if was_told or earlier.id in self._named:
            return False
        return arrived_at - self._answered_at.get(earlier.id, earlier.created_at) >= _AT_ONCE_SECONDS
