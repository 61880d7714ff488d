"""Identifiers sort by time and can be told from other text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.core.ids import ALPHABET, ENTROPY_BYTES, is_id, make_id

_TIMES = st.integers(0, 2**47)
_ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(_TIMES, _TIMES, _ENTROPY, _ENTROPY)
def test_ids_sort_by_time(one: int, other: int, entropy: bytes, other_entropy: bytes) -> None:
    """Whatever their random part, to the millisecond."""
    first, second = make_id("video", one / 1000, entropy), make_id("video", other / 1000, other_entropy)
    if int(one / 1000 * 1000) != int(other / 1000 * 1000):
        assert (first < second) == (one < other)


@given(_TIMES, _ENTROPY)
def test_an_id_is_recognised_by_its_own_prefix(milliseconds: int, entropy: bytes) -> None:
    """And by no other."""
    made = make_id("video", milliseconds / 1000, entropy)
    assert is_id("video", made)
    assert not is_id("key", made)
    assert len(made) == len("video_") + 26


@given(_TIMES, _ENTROPY, _ENTROPY)
def test_all_randomness_is_in_the_id(milliseconds: int, one: bytes, other: bytes) -> None:
    """Two ids of one moment are equal only if every random bit is."""
    now = milliseconds / 1000
    assert (make_id("video", now, one) == make_id("video", now, other)) == (one == other)


def test_the_layout_does_not_change() -> None:
    """Ids on disk were made like this."""
    assert make_id("video", 1_790_000_000.0, bytes(range(10))) == "video_01m3250v00000g40r40m30e209"


@pytest.mark.parametrize(
    "text",
    ["", "video", "video_", "video_short", "video_" + "0" * 25, "video_" + "0" * 27, "video_" + "O" * 26, "video-" + "0" * 26,
     "video_" + "u" * 26, "xvideo_" + "0" * 26],
)  # fmt: skip
def test_other_text_is_no_id(text: str) -> None:
    """So that a lookup is spared."""
    assert not is_id("video", text)


def test_randomness_is_counted() -> None:
    """Fewer or more bytes would make another layout."""
    for size in (0, ENTROPY_BYTES - 1, ENTROPY_BYTES + 1):
        with pytest.raises(ValueError, match="10 random bytes"):
            make_id("video", 0.0, bytes(size))


def test_the_alphabet_has_no_twins() -> None:
    """Crockford's: no i, l, o or u, in order, so that text sorts as numbers do."""
    assert list(ALPHABET) == sorted(set(ALPHABET))
    assert len(ALPHABET) == 32
    assert not set(ALPHABET) & set("ilou")
