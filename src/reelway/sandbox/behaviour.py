"""How a sandbox behaves: what whoever starts it can choose."""

from pathlib import Path

from reelway.core.record import Record

__all__ = ["SandboxSettings"]


class SandboxSettings(Record):
    """How a sandbox behaves."""

    pace: float = 1.0
    """Scales the make-believe render time of 2 s and 0.1 s for each second of video, and the pauses between the tries of a
    callback; 0: as fast as it really goes."""
    draft: bool = False
    """Paint one picture a second: for tests that make many videos."""
    stock: bool = False
    """Make every video a copy of one small clip with a mark of its own: for tests with thousands of videos."""
    faults: str = ""
    """Directives that hold for every request, `[[rate:429x2]] [[delay:20]]`."""
    log: Path | None = None
    """A file to which a line is added for every submit, every file made and every file handed out."""
    fetch_urls: bool = False
    """Fetch inputs that are given by http and https addresses. Otherwise they are refused."""
    allowed_hosts: frozenset[str] = frozenset()
    """Private hosts that may be fetched from, and called back, all the same."""
    public_url: str | None = None
    """Where the sandbox is reached, for links to files. Without it every request says so by its `Host`."""
    prefix: str = ""
    """The path below which it is mounted, where it has no address of its own: `/sandbox` in a gateway."""
    link_seconds: float = 24 * 3600.0
    """How long a link to a file works; whoever looks again gets a fresh one."""
    lifetime_seconds: float = 24 * 3600.0
    """After this the files of a video are gone."""
    strict: bool = False
    """Hold requests in the OpenAI dialect against the model cards too; those in vendors' own dialects always are."""
    most_tasks: int = 10_000
    upload_bytes: int = 100_000_000
