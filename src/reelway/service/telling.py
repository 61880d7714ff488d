"""What callers who came through a vendor's dialect are told of their video: the body that vendor would send, with our links in it.

The one rule: it is made once, when the video changes; every try of the message sends the same text.
"""

from collections.abc import Callable, Sequence
from typing import Any

from reelway.core.jobs import Job
from reelway.core.keys import Caller
from reelway.core.videos import Video
from reelway.dialects.spec import Dialect

__all__ = ["callback_words"]


def callback_words(dialects: Sequence[Dialect], show: Callable[[Job, Caller], Video]) -> Callable[[Job], Any]:
    """Return what makes the body of a message; `show` returns a video as its caller may see it."""
    known = {dialect.name: dialect.render_callback for dialect in dialects}

    def words(job: Job) -> Any:
        render = known[job.request.callback_dialect]
        return None if render is None else render(show(job, Caller(tenant=job.tenant, key_id=job.key_id)))

    return words
