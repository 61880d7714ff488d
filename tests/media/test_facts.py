"""Facts are measured from the bytes, and what is broken is refused with a reason."""

import io
import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.media.conftest import make_spec

from reelway.media.images import read_image_facts
from reelway.media.pictures import make_pictures, to_image
from reelway.media.probe import read_video_facts
from reelway.media.render import render
from reelway.media.sniff import sniff
from reelway.media.spec import ImageFacts, MediaUnreadableError, VideoFacts


def image_bytes(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 100, 50)).save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is this large and holds nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for name, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        chunks += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


def heic_header(width: int, height: int) -> bytes:
    return (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
        b"\0\0\0\x14ispe\0\0\0\0"
        + struct.pack(">II", 512, 512)
        + b"\0\0\0\x14ispe\0\0\0\0"
        + struct.pack(">II", width, height)
    )


def sound(path: Path, kind: str, codec: str) -> Path:
    with av.open(str(path), "w", format=kind) as out:
        stream = out.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48_000
        for piece in av.AudioResampler(format=stream.codec_context.format, frame_size=1152).resample(frame):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (image_bytes("JPEG"), "image/jpeg"),
        (image_bytes("PNG"), "image/png"),
        (image_bytes("WEBP"), "image/webp"),
        (image_bytes("GIF"), "image/gif"),
        (image_bytes("BMP"), "image/bmp"),
        (image_bytes("TIFF"), "image/tiff"),
        (image_bytes("AVIF"), "image/avif"),
        (heic_header(10, 10), "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "video/x-matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\x01\xba\x44", "video/mpeg"),
        (b"\x47" + b"\0" * 187 + b"\x47", "video/mp2t"),
        (b"ID3\x04\0\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"#EXTM3U\nhttp://127.0.0.1/a.ts", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"BM, a text that begins like a bitmap", None),
        (b"\xff\xff\xff\xff", None),
        (b"RIFF", None),
        (b"", None),
    ],
)
def test_type_follows_from_the_first_bytes(head: bytes, media_type: str | None) -> None:
    """Names and claimed types play no part."""
    assert sniff(head) == media_type


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_image_facts(kind: str, tmp_path: Path) -> None:
    """Type and size of every image we take, whatever the file is called."""
    path = tmp_path / "upload"
    path.write_bytes(image_bytes(kind))
    assert read_image_facts(path) == ImageFacts(media_type=f"image/{kind.lower()}", width=40, height=30)


def test_heic_size_is_that_of_the_whole_grid(tmp_path: Path) -> None:
    """An HEIC file states the size of its tiles too; the largest counts."""
    path = tmp_path / "photo.heic"
    path.write_bytes(heic_header(4032, 3024))
    assert read_image_facts(path) == ImageFacts(media_type="image/heic", width=4032, height=3024)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"this is a text\n" * 20, "no image, video or sound"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "header is broken"),
        (b"\xff\xd8\xff\xe0", "header is broken"),
        (png_header(20_000, 10), "decompression bomb"),
        (png_header(9_000, 9_000), "decompression bomb"),
        (png_header(16_000, 16_000), "decompression bomb"),
        (png_header(60_000, 60_000), "decompression bomb"),
        (heic_header(60_000, 60_000), "decompression bomb"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "no size"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav, not an image"),
    ],
)
def test_unreadable_images_are_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    """Each kind of bad image is refused with a reason, from the header alone."""
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    with pytest.raises(MediaUnreadableError, match=reason):
        read_image_facts(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("missing", [8, 0.1, 0.5])
def test_an_image_that_broke_off_is_refused(kind: str, missing: float, tmp_path: Path) -> None:
    """From the last few bytes to a half of it."""
    whole = image_bytes(kind)
    path = tmp_path / "upload"
    path.write_bytes(whole[: -round(missing if missing > 1 else len(whole) * missing)])
    with pytest.raises(MediaUnreadableError, match=r"end is missing|header is broken"):
        read_image_facts(path)


def test_video_facts(clip: Path) -> None:
    """Length, size, rate, sound and codec as they really are."""
    assert read_video_facts(clip) == VideoFacts(
        media_type="video/mp4", seconds=2.0, width=320, height=180, fps=24.0, has_audio=True, codec="h264"
    )


@pytest.mark.parametrize(
    ("kind", "codec", "media_type"), [("webm", "libvpx", "video/webm"), ("avi", "mpeg4", "video/x-msvideo")]
)
def test_other_containers(kind: str, codec: str, media_type: str, clip: Path, tmp_path: Path) -> None:
    """WebM and AVI are measured the same way; silence is noticed."""
    target = tmp_path / "video"
    with av.open(str(clip)) as source, av.open(str(target), "w", format=kind) as out:
        stream = out.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for frame in source.decode(video=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    facts = read_video_facts(target)
    assert facts.media_type == media_type
    assert facts.seconds == pytest.approx(2.0, abs=0.01)
    assert (facts.width, facts.height, facts.has_audio) == (320, 180, False)
    assert facts.fps == pytest.approx(24.0, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "codec", "media_type"),
    [("wav", "pcm_s16le", "audio/wav"), ("mp3", "libmp3lame", "audio/mpeg"), ("ipod", "aac", "audio/mp4")],
)
def test_sound_files_are_looked_at(kind: str, codec: str, media_type: str, tmp_path: Path) -> None:
    """A sound file has a length and no picture."""
    facts = read_video_facts(sound(tmp_path / "sound", kind, codec))
    assert (facts.media_type, facts.width, facts.has_audio) == (media_type, 0, True)
    assert facts.seconds == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.97])
def test_truncated_video_is_refused(share: float, clip: Path, tmp_path: Path) -> None:
    """A download that broke off is never taken for a shorter video."""
    data = clip.read_bytes()
    path = tmp_path / "video.mp4"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaUnreadableError):
        read_video_facts(path)


def test_truncated_webm_is_refused(clip: Path, tmp_path: Path) -> None:
    """Where no frame count is declared, the declared length tells."""
    target = tmp_path / "video.webm"
    with av.open(str(clip)) as source, av.open(str(target), "w", format="webm") as out:
        stream = out.add_stream("libvpx", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for frame in source.decode(video=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    data = target.read_bytes()
    target.write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaUnreadableError, match="truncated"):
        read_video_facts(target)


def test_video_with_a_hole_is_refused(clip: Path, tmp_path: Path) -> None:
    """Bytes that were lost in the middle do not pass for pictures."""
    data = bytearray(clip.read_bytes())
    start = data.find(b"mdat") + len(data) // 8
    data[start : start + len(data) * 6 // 8] = bytes(len(data) * 6 // 8)
    path = tmp_path / "video.mp4"
    path.write_bytes(data)
    with pytest.raises(MediaUnreadableError):
        read_video_facts(path)


@pytest.mark.parametrize(
    "data", [b"", b"not a video", b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", image_bytes("PNG"), b"#EXTM3U\n/etc/passwd"]
)
def test_what_is_no_video_is_refused(data: bytes, tmp_path: Path) -> None:
    """Empty files, texts, images and playlists that point elsewhere are not opened as videos."""
    path = tmp_path / "video.mp4"
    path.write_bytes(data)
    with pytest.raises(MediaUnreadableError):
        read_video_facts(path)


def test_pictures(clip: Path, tmp_path: Path) -> None:
    """Thumbnail in WebP, 5 x 5 frames in JPEG, last frame in PNG at full size."""
    made = make_pictures(clip, tmp_path)
    thumbnail, sheet, last = (Image.open(path) for path in (made.thumbnail, made.spritesheet, made.last_frame))
    with thumbnail, sheet, last:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (320, 180))
        assert (sheet.format, sheet.size) == ("JPEG", (5 * 320, 5 * 180))
        assert (last.format, last.size) == ("PNG", (320, 180))
        with av.open(str(clip)) as container:
            *_, final = container.decode(video=0)
        assert np.array_equal(np.asarray(last), np.asarray(to_image(final)))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["last_frame.png", "spritesheet.jpg", "thumbnail.webp"]


def test_tiles_are_evenly_spaced(tmp_path: Path) -> None:
    """Every tile shows its own moment: the white line along the lower edge grows from tile to tile."""
    render(make_spec(seconds=4), tmp_path / "video.mp4")
    with Image.open(make_pictures(tmp_path / "video.mp4", tmp_path).spritesheet) as sheet:
        pixels = np.asarray(sheet.convert("L"))
    lengths = []
    for number in range(25):
        row, column = number // 5 * 180 + 179, number % 5 * 320
        lengths.append(int((pixels[row, column : column + 320] > 150).sum()))
    assert np.allclose(np.diff(lengths), 12.8, atol=5)


def test_large_pictures_shrink_to_a_thumbnail(tmp_path: Path) -> None:
    """A thumbnail is at most 720 pixels wide and keeps the shape."""
    render(make_spec(seconds=0.5, width=1280, height=720), tmp_path / "video.mp4")
    with Image.open(make_pictures(tmp_path / "video.mp4", tmp_path).thumbnail) as thumbnail:
        assert thumbnail.size == (720, 405)


def test_one_frame_is_enough_for_pictures(tmp_path: Path) -> None:
    """A video of a single frame has a sheet of one tile."""
    render(make_spec(seconds=1 / 24), tmp_path / "video.mp4")
    with Image.open(make_pictures(tmp_path / "video.mp4", tmp_path).spritesheet) as sheet:
        assert sheet.size == (320, 180)
