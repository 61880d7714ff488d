"""The same request in every encoding is the same request, to the byte."""

import base64
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.dialects.encodings import as_bytes, encodings, from_form, from_json, read

from reelway.dialects.aliases import ALIASES, INPUT_SLOTS, METADATA_TAGS

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
URLS = st.integers(0, 999).map(lambda number: f"https://files.example.test/{number}.png?a=1,2&b=3")
DATA = st.binary(min_size=1, max_size=9).map(
    lambda tail: f"data:image/png;base64,{base64.b64encode(PNG + tail).decode()}"
)
BARE = st.binary(max_size=9).map(lambda tail: base64.b64encode(PNG + tail).decode())
WORDS = st.text("abcdefghij -.äあ🎬{}[]\"'&=%+", min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
NAMES = st.text("abcdefghij_", min_size=1, max_size=8).map(lambda text: f"x_{text}")
OBJECTS = st.one_of(
    st.fixed_dictionaries({"url": URLS}),
    st.fixed_dictionaries({"image_url": st.one_of(URLS, DATA)}),
    st.fixed_dictionaries({"image_url": st.fixed_dictionaries({"url": URLS})}),
    st.fixed_dictionaries({"file_id": st.just("file-abc")}),
)
PICTURES = st.one_of(URLS, DATA, BARE)
LISTS = st.one_of(
    st.lists(PICTURES, min_size=1, max_size=3), st.lists(st.fixed_dictionaries({"url": URLS}), min_size=1, max_size=3)
)
MEDIA = st.builds(
    lambda kind, url, role: {"type": f"{kind}_url", f"{kind}_url": {"url": url}, "role": role or f"reference_{kind}"},
    st.sampled_from(["image", "video", "audio"]),
    URLS,
    st.sampled_from(["", "first_frame", "last_frame"]),
)
TEXTS = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
TREES = st.recursive(WORDS, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=6)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "prompt": WORDS,
    "image": st.one_of(PICTURES, OBJECTS),
    "images": LISTS,
    "input_reference": st.one_of(PICTURES, OBJECTS),
    "seconds": st.sampled_from([8, "8", 8.0, "8s", "8.0", -1, "-1"]),
    "size": st.sampled_from(["1280x720", "1280*720", "16:9", "720P", "4K", "1080p 9:16"]),
    "fps": st.one_of(st.integers(1, 60), st.integers(1, 60).map(str)),
    "seed": st.integers(-1, 2**31 - 1),
    "n": st.integers(1, 4),
    "response_format": st.sampled_from(["url", "b64_json"]),
    "user": WORDS,
    "metadata": st.dictionaries(NAMES, TREES, min_size=1, max_size=3),
    "mode": st.sampled_from(["t2v", "r2v", "pro", "4k"]),
    "content": st.tuples(st.lists(TEXTS, max_size=2), st.lists(MEDIA, max_size=2)).map(
        lambda both: [*both[0], *both[1]]
    ),
    "parameters": st.fixed_dictionaries(
        {},
        optional={
            "durationSeconds": st.integers(1, 30),
            "aspectRatio": st.just("9:16"),
            "resolution": st.just("720P"),
            "x_own": TREES,
        },
    ),
    "generate_audio": st.booleans(),
    "negative_prompt": WORDS,
    "camera_control": st.dictionaries(NAMES, WORDS, min_size=1, max_size=2),
    "callback_url": st.just("https://hooks.example.test/done"),
    "external_task_id": WORDS,
}
BODIES = st.fixed_dictionaries({"model": st.just("veo3.1")}, optional=VALUES)


@settings(max_examples=300)
@given(BODIES)
@example({"model": "m", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})
@example({"model": "m", "metadata": {"0": "zero", "1": "one"}})
@example({"model": "m", "images": ["https://a.example.test/1.png"]})
@example({"model": "m", "metadata": {"empty": ""}, "user": "  "})
def test_every_encoding_gives_the_same_request(body: dict[str, Any]) -> None:
    """JSON, JSON text in a form, repeated parts and both kinds of brackets differ in nothing but their bytes."""
    results = {name: as_bytes(read(incoming)) for name, incoming in encodings(body).items()}

    assert len(set(results.values())) == 1, results


@settings(max_examples=100)
@given(BODIES, st.randoms())
def test_the_order_of_fields_leaves_no_trace(body: dict[str, Any], random: Any) -> None:
    """Two clients that write the same fields in another order ask for the same thing."""
    names = list(body)
    random.shuffle(names)

    assert as_bytes(from_json({name: body[name] for name in names})) == as_bytes(from_json(body))


SAMPLES: dict[str, Any] = {
    "prompt": "a fox",
    "mode": "i2v",
    "seconds": 8,
    "size": "1280x720",
    "ratio": "9:16",
    "tier": "720p",
    "fps": 24,
    "seed": 7,
    "n": 2,
    "audio": True,
    "response_format": "b64_json",
    "user": "u-1",
    "callback_url": "https://hooks.example.test/done",
    "client_reference": "task-1",
}


@pytest.mark.parametrize(
    ("slot", "name", "place"),
    [
        (slot, name, place)
        for slot in SAMPLES
        for name in ALIASES[slot]
        for place in ("", "metadata", "parameters")
        if place != "metadata" or name not in METADATA_TAGS
    ],
)
def test_every_alias_means_the_same_in_every_place(slot: str, name: str, place: str) -> None:
    """An alias at top level, in `metadata` or in `parameters` fills the same field, in JSON and in a form."""
    value = SAMPLES[slot]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    usual = from_json({"model": "m", ALIASES[slot][0]: value})

    in_json = from_json({"model": "m", **({place: {name: value}} if place else {name: value})})
    in_form = from_form(("model", "m"), (f"{place}[{name}]" if place else name, text))

    assert as_bytes(in_json) == as_bytes(in_form)
    assert in_json.evolve(spelled={}) == usual.evolve(spelled={})
    assert usual != from_json({"model": "m"})


@pytest.mark.parametrize("place", ["", "metadata", "parameters"])
@pytest.mark.parametrize(
    ("slot", "name"),
    [(slot, name) for slot, spec in INPUT_SLOTS.items() for name in (*spec.single, *spec.several)],
)
def test_every_input_alias_says_what_the_input_is_for(slot: str, name: str, place: str) -> None:
    """An input under any of its names has the kind and role of its slot."""
    url = "https://files.example.test/input"
    field = f"{place}[{name}]" if place else name

    in_json = from_json({"model": "m", **({place: {name: url}} if place else {name: url})})
    in_form = from_form(("model", "m"), (field, url))

    assert as_bytes(in_json) == as_bytes(in_form)
    (found,) = in_json.inputs
    spec = INPUT_SLOTS[slot]
    assert (found.url, found.kind, found.role) == (url, spec.kind, spec.role)
    shown = f"{place}.{name}" if place else name
    assert found.field == (f"{shown}[0]" if name in spec.several else shown)


def test_every_alias_of_the_contract_is_known() -> None:
    """The names that the contract lists are all in the table, so none of them ends among the options."""
    contract = re.findall(
        r"\w+",
        """
        aspect_ratio ratio aspectRatio orientation resolution quality duration_seconds durationSeconds video_length duration
        seconds image_url imageUrl first_image first_frame first_frame_image first_frame_url img_url last_image last_image_url
        last_frame last_frame_image last_frame_url end_image_url image_tail lastFrame image_urls imageUrls reference_images
        reference_image_urls referenceImages img_references image_list video video_url video_urls reference_video_urls videos
        audio_url audio_urls reference_audio_urls function_mode generation_type action video_operation task callback_url
        callbackUrl webhook_url notify_url notifyHook external_task_id client_request_id sound audio generate_audio
        prompt image images input_reference size width height fps seed n response_format user mode
    """,
    )
    known = {name for names in ALIASES.values() for name in names}
    known |= {name for spec in INPUT_SLOTS.values() for name in (*spec.single, *spec.several)}

    assert set(contract) <= known
