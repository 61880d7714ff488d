"""`content[]` as ByteDance and MiniMax have it: items with a type, media with a role and an address in an object of that name.

The one rule: an item says one thing, and says it in full; what is missing or unknown is named, never guessed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.videos import MediaKind, Role
from reelway.dialects.native import missing
from reelway.dialects.values import describe, wrong_type

__all__ = ["MEDIA", "content_items", "inner_text", "item_text", "item_type", "media_role"]

MEDIA: Mapping[str, MediaKind] = MappingProxyType(
    {"image_url": MediaKind.IMAGE, "video_url": MediaKind.VIDEO, "audio_url": MediaKind.AUDIO}
)
"""Types of items that hold media."""

_ITEMS = 64
_ROLES: Mapping[MediaKind, Mapping[str, Role]] = MappingProxyType(
    {
        MediaKind.IMAGE: {
            "first_frame": Role.FIRST_FRAME,
            "last_frame": Role.LAST_FRAME,
            "reference_image": Role.REFERENCE,
        },
        MediaKind.VIDEO: {"reference_video": Role.REFERENCE},
        MediaKind.AUDIO: {"reference_audio": Role.REFERENCE},
    }
)


def content_items(given: Any, advice: str) -> list[tuple[str, Any]]:
    """Return the items with what messages call them; `advice` says what to send where there are none."""
    if given is None or given == []:
        raise missing("content", advice)
    if not isinstance(given, list):
        raise wrong_type("content", "a list of objects", given)
    if len(given) > _ITEMS:
        raise InvalidRequest(f"content may have {_ITEMS} items (got {len(given)})", param="content")
    return [(f"content[{number}]", item) for number, item in enumerate(given)]


def item_type(item: Any, field: str, *further: str) -> str:
    """Return the type of an item: `text`, media, or one of the further ones."""
    if not isinstance(item, dict):
        raise wrong_type(field, "an object with a type", item)
    kind, words = item.get("type"), ("text", *MEDIA, *further)
    if not isinstance(kind, str) or kind not in words:
        raise InvalidRequest(
            f"{field}.type must be one of {', '.join(words)} (got {describe(kind)})", param=f"{field}.type"
        )
    return kind


def item_text(item: Mapping[str, Any], field: str) -> str:
    """Return what a text says; blanks alone say nothing."""
    text = item.get("text")
    if not isinstance(text, str):
        raise wrong_type(f"{field}.text", "text", text)
    return text if text.strip() else ""


def inner_text(item: Mapping[str, Any], name: str, key: str, field: str) -> str:
    """Return the one value in the object that has the name of the item's type."""
    holder = item.get(name)
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise missing(f"{field}.{name}.{key}", "it is what the item is about")
    return value.strip()


def media_role(word: Any, kind: MediaKind, field: str) -> Role:
    """Return what media are for; without a word what is usual for their kind, a first frame or a reference."""
    roles = _ROLES[kind]
    if word is None:
        return next(iter(roles.values()))
    if not isinstance(word, str) or word not in roles:
        raise InvalidRequest(
            f"{field}.role must be one of {', '.join(roles)} (got {describe(word)})", param=f"{field}.role"
        )
    return roles[word]
