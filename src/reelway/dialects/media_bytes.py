"""What kind of media some bytes are, by their first few. Good for sorting inputs only: the service decodes before it believes."""

from reelway.core.videos import MediaKind

__all__ = ["kind_of_bytes", "kind_of_type"]

_PREFIXES: tuple[tuple[bytes, MediaKind], ...] = (
    (b"\x89PNG\r\n\x1a\n", MediaKind.IMAGE),
    (b"\xff\xd8\xff", MediaKind.IMAGE),
    (b"GIF87a", MediaKind.IMAGE),
    (b"GIF89a", MediaKind.IMAGE),
    (b"BM", MediaKind.IMAGE),
    (b"II*\x00", MediaKind.IMAGE),
    (b"MM\x00*", MediaKind.IMAGE),
    (b"\x1aE\xdf\xa3", MediaKind.VIDEO),
    (b"OggS", MediaKind.AUDIO),
    (b"fLaC", MediaKind.AUDIO),
    (b"ID3", MediaKind.AUDIO),
    (b"\xff\xfb", MediaKind.AUDIO),
    (b"\xff\xf3", MediaKind.AUDIO),
    (b"\xff\xf2", MediaKind.AUDIO),
    (b"\xff\xf1", MediaKind.AUDIO),
    (b"\xff\xf9", MediaKind.AUDIO),
)
_RIFF = {b"WEBP": MediaKind.IMAGE, b"AVI ": MediaKind.VIDEO, b"WAVE": MediaKind.AUDIO}
_PICTURE_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})


def kind_of_bytes(data: bytes) -> MediaKind | None:
    """Return the kind that the first bytes announce; None when they announce nothing we know."""
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return (
            MediaKind.IMAGE
            if brand in _PICTURE_BRANDS
            else MediaKind.AUDIO
            if brand in _SOUND_BRANDS
            else MediaKind.VIDEO
        )
    return next((kind for prefix, kind in _PREFIXES if data.startswith(prefix)), None)


def kind_of_type(media_type: str | None) -> MediaKind | None:
    """Return the kind of a media type such as `image/png`; None for types that say nothing."""
    family = (media_type or "").partition("/")[0].strip().lower()
    return MediaKind(family) if family in {"image", "video", "audio"} else None
