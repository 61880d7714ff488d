"""Results in a bucket of Google Cloud Storage: a folder for each attempt, so that what lies in it belongs to that attempt.

The storage takes the same token as Vertex AI, at an origin of its own. Which one that is, the account says, never an answer.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.core.errors import UnexpectedResponse
from reelway.core.record import Record
from reelway.vendors.google_media import linked
from reelway.vendors.spec import Download, HttpRequest, HttpResponse, Submission
from reelway.vendors.wire import delete, expect, get

__all__ = ["fetch", "folder_of", "forget", "list_folder", "origin_of", "videos_in"]

_STORAGE = "https://storage.googleapis.com"
_SCHEME = "gs://"
_KIND = "storage#objects"


class Entry(Record, rename={"content_type": "contentType"}):
    """An object."""

    name: str
    content_type: str = ""


class Listing(Record):
    """What is in a folder; the items are left out where there are none."""

    kind: str
    items: list[Entry] = []


def origin_of(settings: Mapping[str, Any]) -> str:
    """Return where the storage's API is."""
    return str(settings.get("storage_url") or _STORAGE).rstrip("/")


def folder_of(submission: Submission) -> str | None:
    """Return the folder of this attempt, None where the account has no bucket."""
    storage = submission.settings.get("storage_uri", "")
    return f"{storage.rstrip('/')}/{quote(submission.reference, safe='')}/" if storage else None


def fetch(uri: str, origin: str) -> Download:
    """Return how to fetch `gs://bucket/name`, or what another Reelway names in its place: an address of its own."""
    if not uri.startswith(_SCHEME):
        return linked(uri)
    return Download(request=get(_object(uri, origin), query=(("alt", "media"),)), authorize=True, own_origin=origin)


def list_folder(folder: str, origin: str) -> HttpRequest:
    """Return the question what is in a folder."""
    bucket, _, prefix = folder.removeprefix(_SCHEME).partition("/")
    query = (("prefix", prefix), ("fields", "kind,items(name,contentType)"))
    return get(f"{origin}/storage/v1/b/{quote(bucket, safe='')}/o", query=query)


def videos_in(folder: str, response: HttpResponse) -> tuple[str, ...]:
    """Return the addresses of the videos that are listed."""
    listing = expect(Listing, response)
    if listing.kind != _KIND:
        raise UnexpectedResponse(f"a list of objects was expected, not {listing.kind!r}")
    bucket = folder.removeprefix(_SCHEME).partition("/")[0]
    return tuple(f"{_SCHEME}{bucket}/{entry.name}" for entry in listing.items if _is_video(entry))


def forget(uri: str, origin: str) -> HttpRequest:
    """Return the request that takes an object away."""
    return delete(_object(uri, origin))


def _object(uri: str, origin: str) -> str:
    bucket, _, name = uri.removeprefix(_SCHEME).partition("/")
    if not bucket or not name:
        raise UnexpectedResponse(f"{uri[:200]!r} names no object")
    return f"{origin}/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"


def _is_video(entry: Entry) -> bool:
    return entry.content_type.startswith("video/") or entry.name.endswith(".mp4")
