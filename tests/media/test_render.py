"""The sandbox's video is exactly what was asked for, and the same every time."""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from tests.media.conftest import make_spec

from reelway.media.painting.scene import Ground, Sky, Weather, imagine
from reelway.media.pictures import to_image
from reelway.media.render import RenderSpec, render
from reelway.media.spec import MediaUnreadableError


def frames_of(path: Path) -> list[np.ndarray[Any, Any]]:
    with av.open(str(path)) as container:
        return [np.asarray(to_image(frame)).astype(int) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("seconds", "width", "height", "fps", "audio"),
    [(1, 320, 180, 24, True), (2, 180, 320, 30, True), (3, 256, 256, 25, False), (1.5, 426, 240, 16, True)],
)
def test_video_has_exactly_the_asked_seconds_size_and_rate(
    tmp_path: Path, seconds: float, width: int, height: int, fps: int, audio: bool
) -> None:
    """Frames, length, pixels and sound are what the spec says, in H.264 and AAC."""
    target = tmp_path / "video.mp4"
    render(make_spec(seconds=seconds, width=width, height=height, fps=fps, audio=audio), target)

    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert sum(1 for _ in container.decode(stream)) == seconds * fps
        assert (stream.width, stream.height, stream.average_rate) == (width, height, fps)
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == Fraction(seconds)
        assert container.duration == seconds * 1_000_000
        assert [sound.codec_context.name for sound in container.streams.audio] == (["aac"] if audio else [])


def test_index_comes_first(clip: Path) -> None:
    """A browser can play before the whole file has arrived."""
    data = clip.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_same_spec_gives_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    """No clock and no chance goes into a file."""
    render(make_spec(), tmp_path / "again.mp4")
    assert (tmp_path / "again.mp4").read_bytes() == clip.read_bytes()


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"prompt": "the sea at sunset"}, {"model": "kling-v3"}, {"watermark": ""}]
)
def test_everything_in_the_spec_shows(clip: Path, tmp_path: Path, change: dict[str, object]) -> None:
    """Another seed, prompt, model or mark makes another picture."""
    render(make_spec(**change), tmp_path / "other.mp4")
    first, second = frames_of(clip)[0], frames_of(tmp_path / "other.mp4")[0]
    assert np.abs(first - second).max() > 40


def test_picture_moves(clip: Path) -> None:
    """The first and the last frame differ in most of the picture."""
    frames = frames_of(clip)
    assert (np.abs(frames[0] - frames[-1]).max(axis=2) > 4).mean() > 0.3


def test_sound_is_heard(clip: Path) -> None:
    """The sound track is neither silent nor clipped."""
    with av.open(str(clip)) as container:
        wave = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert 0.05 < np.abs(wave).max() < 0.9
    assert np.sqrt((wave**2).mean()) > 0.02


def test_first_frame_is_the_picture_itself(photo: Path, tmp_path: Path) -> None:
    """Animation starts from the given picture as it is, then the camera moves."""
    render(make_spec(prompt="hold still", first_frame=photo), tmp_path / "video.mp4")
    frames = frames_of(tmp_path / "video.mp4")
    wanted = np.asarray(Image.open(photo).resize((320, 180))).astype(int)
    upper = slice(30, 80)
    assert np.abs(frames[0][upper] - wanted[upper]).mean() < 6
    assert np.abs(frames[-1][upper] - frames[0][upper]).mean() > 0.5


def test_last_frame_is_the_last_picture(photo: Path, tmp_path: Path) -> None:
    """With two pictures the film begins with one and ends with the other."""
    other = tmp_path / "red.png"
    Image.new("RGB", (640, 360), (200, 30, 30)).save(other)
    render(make_spec(prompt="blend", first_frame=photo, last_frame=other), tmp_path / "video.mp4")
    frames = frames_of(tmp_path / "video.mp4")
    first, last = frames[0][40:80, 20:300].mean(axis=(0, 1)), frames[-1][40:80, 20:300].mean(axis=(0, 1))
    assert first[0] < 60
    assert last[0] > 170


def test_references_appear(clip: Path, photo: Path, tmp_path: Path) -> None:
    """A reference hangs in the picture as a framed print; a video lends its first frame."""
    render(make_spec(references=(photo, clip)), tmp_path / "video.mp4")
    with_references, without = frames_of(tmp_path / "video.mp4")[0], frames_of(clip)[0]
    assert (np.abs(with_references - without).max(axis=2) > 60).mean() > 0.02


def test_edited_video_shows_its_source_in_other_colours(clip: Path, tmp_path: Path) -> None:
    """The first frame is nearly the source; later the same picture is graded."""
    render(make_spec(prompt="golden fire", source_video=clip, operation="edit"), tmp_path / "video.mp4")
    source, edited = frames_of(clip), frames_of(tmp_path / "video.mp4")
    upper = slice(30, 90)
    assert np.abs(source[0][upper] - edited[0][upper]).mean() < 12
    assert np.abs(source[40][upper] - edited[40][upper]).mean() > 15
    alike = np.corrcoef(source[40][upper].mean(axis=2).ravel(), edited[40][upper].mean(axis=2).ravel())[0, 1]
    assert alike > 0.6


def test_extended_video_plays_its_source_and_goes_on(clip: Path, tmp_path: Path) -> None:
    """The source is seen first, then another scene follows."""
    render(make_spec(prompt="the sea by day", source_video=clip, operation="extend", seconds=4), tmp_path / "video.mp4")
    source, extended = frames_of(clip), frames_of(tmp_path / "video.mp4")
    upper = slice(30, 90)
    assert len(extended) == 96
    assert np.abs(source[20][upper] - extended[20][upper]).mean() < 12
    assert np.abs(source[-1][upper] - extended[-1][upper]).mean() > 25


def test_unreadable_input_leaves_nothing_behind(tmp_path: Path) -> None:
    """A broken first frame is named as such, and no half video stays."""
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    with pytest.raises(MediaUnreadableError, match="header is broken"):
        render(make_spec(first_frame=broken), tmp_path / "video.mp4")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["broken.png"]


@pytest.mark.parametrize(
    "change",
    [{"width": 321}, {"height": 0}, {"fps": 0}, {"seconds": 0}, {"seconds": 100_000}, {"width": 20_000}],
)
def test_impossible_specs_are_refused(change: dict[str, object]) -> None:
    """Odd sizes cannot be encoded, and endless videos would never end."""
    with pytest.raises(ValueError, match="must be"):
        make_spec(**change)


@pytest.mark.parametrize(
    "prompt", ["", "狐狸在雪中奔跑", "ein Fuchs läuft über die Brücke", "x" * 4000, "emoji 🦊 and\nlines\t"]
)
def test_any_words_can_be_set(prompt: str, tmp_path: Path) -> None:
    """Empty, long, foreign and strange prompts all become a video."""
    render(make_spec(prompt=prompt, seconds=1, width=160, height=90), tmp_path / "video.mp4")
    assert len(frames_of(tmp_path / "video.mp4")) == 24


@pytest.mark.parametrize(
    ("prompt", "ground", "sky", "weather"),
    [
        ("a fox in snow at night", Ground.FOREST, Sky.NIGHT, Weather.SNOW),
        ("waves at sunset", Ground.SEA, Sky.SUNSET, Weather.DUST),
        ("a city street in the rain", Ground.CITY, Sky.STORM, Weather.RAIN),
        ("an astronaut near a planet", Ground.SPACE, Sky.NIGHT, Weather.DUST),
        ("campfire on a mountain", Ground.MOUNTAINS, Sky.FIRE, Weather.EMBERS),
        ("雪夜的森林", Ground.FOREST, Sky.NIGHT, Weather.SNOW),
    ],
)
def test_words_choose_the_scene(prompt: str, ground: Ground, sky: Sky, weather: Weather) -> None:
    """Places, light and weather follow simple words."""
    scene = imagine(prompt, 1)
    assert (scene.ground, scene.sky, scene.weather) == (ground, sky, weather)


def test_every_place_and_sky_can_be_painted(tmp_path: Path) -> None:
    """No combination of cues fails, at sizes down to the smallest."""
    words = ["space", "city", "sea", "forest", "desert", "mountain", "meadow"]
    skies = ["aurora", "neon", "fire", "storm", "night", "sunset", "dawn", "mist", "day"]
    digests = set()
    for number, place in enumerate(words):
        for sky in skies[number % 3 :: 3]:
            target = tmp_path / "video.mp4"
            spec = RenderSpec(prompt=f"{place} {sky}", model="m", seconds=0.1, width=64, height=48 + 16 * number)
            render(spec, target)
            digests.add(hashlib.sha256(target.read_bytes()).hexdigest())
    assert len(digests) == 21
