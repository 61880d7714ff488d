"""What a file is, by its first bytes. Pure; names and claimed types are never believed."""

__all__ = ["HEAD_BYTES", "sniff"]

HEAD_BYTES = 4096
"""How many bytes of the beginning are enough."""

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"avif": "image/avif",
    b"avis": "image/avif",
}
_GENERAL_IMAGE_BRANDS = (b"mif1", b"msf1")
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_BITMAP_HEADER_SIZES = tuple(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))
_TRANSPORT_PACKET = 188


def sniff(head: bytes) -> str | None:
    """Return the media type the first bytes show, or None when they show none that we know."""
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    if head[4:8] in _OLD_QUICKTIME:
        return "video/quicktime"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[:2] == b"BM" and head[14:18] in _BITMAP_HEADER_SIZES:
        return "image/bmp"
    return _sniff_mpeg(head)


def _sniff_brands(head: bytes) -> str:
    """Return what the major brand of an ISO file says; the two general image brands leave it to the compatible ones."""
    major = head[8:12]
    if major in _GENERAL_IMAGE_BRANDS:
        size = min(int.from_bytes(head[:4], "big"), len(head))
        compatible = {head[place : place + 4] for place in range(16, size - 3, 4)}
        return "image/avif" if compatible & {b"avif", b"avis"} else "image/heic"
    return _BRANDS.get(major, "video/mp4")


def _sniff_mpeg(head: bytes) -> str | None:
    """Return the type of an MPEG stream, which has no name at its beginning but a mark at every packet."""
    if head[:1] == b"\x47" and head[_TRANSPORT_PACKET : _TRANSPORT_PACKET + 1] == b"\x47":
        return "video/mp2t"
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        layer, rate, pitch = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
        if layer == 0:
            return "audio/aac" if head[1] & 0xF6 == 0xF0 else None
        if layer == 1 and rate not in (0, 15) and pitch != 3:
            return "audio/mpeg"
    return None
