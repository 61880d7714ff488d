"""What is peculiar to Kling's creates: names in prompts, shots, elements, and limits that are refused before anything is sent."""

from typing import Any

import pytest
from tests.vendors.kling_cases import body_of, image, request, submission, video

from reelway.core.errors import VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.kling import ADAPTER

SHOTS = [
    {"index": 1, "prompt": "@image_1 looks up", "duration": "2"},
    {"index": 2, "prompt": "rain on <<<image_2>>>", "duration": 3},
]


def refusal(wanted: Any, service: str = "current") -> str:
    """Return why a create is refused: without a request, so without a bill."""
    with pytest.raises(VendorRefused) as caught:
        next(ADAPTER.submit(submission(wanted, service)))
    assert caught.value.failure.kind is FailureKind.INVALID_REQUEST
    assert caught.value.failure.message.startswith("`kling` cannot make this: ")
    return caught.value.failure.message


def ids(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["type"], item["id"]) for item in body["contents"] if "id" in item]


# --- names in prompts


@pytest.mark.parametrize("written", ["@image_2 runs to @image_1", "<<<image_2>>> runs to <<< image_1 >>>"])
def test_pictures_are_called_as_each_design_wants(written: str) -> None:
    """By id in the current API, by number in the older one, whichever way the caller writes."""
    wanted = request(Mode.R2V, image(), image(), prompt=written)

    assert body_of(wanted)["contents"][0]["text"] == "@image_2 runs to @image_1"
    assert body_of(wanted, "legacy")["prompt"].replace(" ", "") == "<<<image_2>>>runsto<<<image_1>>>"


def test_a_name_of_the_callers_is_kept() -> None:
    """It is the id in the current API; the older one has no names and counts."""
    wanted = request(Mode.R2V, image(name="coat"), image(), prompt="@coat beside @image_2, not @coats or me@home")

    assert ids(body_of(wanted)) == [("refer_image", "coat"), ("refer_image", "image_2")]
    assert body_of(wanted, "legacy")["prompt"] == "<<<image_1>>> beside <<<image_2>>>, not @coats or me@home"


def test_a_name_of_the_callers_is_given_to_nothing_else() -> None:
    """Ids may not be given twice in one task."""
    wanted = request(Mode.R2V, image(Role.FIRST_FRAME), image(name="image_1"), prompt="@image_1")

    assert ids(body_of(wanted)) == [("first_frame", "image_2"), ("refer_image", "image_1")]
    assert "same name" in refusal(request(Mode.R2V, image(name="a"), image(name="a")))


@pytest.mark.parametrize(
    ("name", "prompt", "sent"),
    [
        (None, "@image_10 and @image_1", "@image_10 and <<<image_1>>>"),
        ("张", "让@张跳舞", "让<<<image_1>>>跳舞"),
        ("张", "@张 and @张_2", "<<<image_1>>> and <<<image_1>>>_2"),
    ],
)
def test_a_name_ends_where_its_letters_end(name: str | None, prompt: str, sent: str) -> None:
    """`@image_10` is not the first picture; what is written without spaces needs none."""
    assert body_of(request(Mode.R2V, image(name=name), prompt=prompt), "legacy")["prompt"] == sent


def test_elements_have_an_id_and_a_name() -> None:
    """Texts in the current API; numbers, without a name, in the older one."""
    options = {"element_list": [{"element_id": "163"}, {"element_id": 940000000000000777, "id": "Zhang"}]}
    wanted = request(Mode.I2V, image(Role.FIRST_FRAME), prompt="@element_1 meets @Zhang", options=options)

    current, legacy = body_of(wanted), body_of(wanted, "legacy")

    assert ids(current) == [("element", "element_1"), ("element", "Zhang")]
    assert [item["element_id"] for item in current["contents"][2:]] == ["163", "940000000000000777"]
    assert legacy["element_list"] == [{"element_id": 163}, {"element_id": 940000000000000777}]
    assert legacy["prompt"] == "<<<element_1>>> meets <<<element_2>>>"


@pytest.mark.parametrize("item", [{}, "163", {"element_id": ""}, {"element_id": 1.5}, {"element_id": "1", "name": "x"}])
def test_an_element_that_is_none_is_refused(item: Any) -> None:
    """What Kling would pass over, or refuse in words of its own."""
    assert "element_list" in refusal(request(Mode.I2V, image(Role.FIRST_FRAME), options={"element_list": [item]}))


# --- shots


def test_shots_are_a_list_or_words() -> None:
    """The current API reads them at the end of the prompt, the older one in a field of their own."""
    wanted = request(Mode.R2V, image(), image(), prompt="In the rain", options={"multi_prompt": SHOTS})

    current, legacy = body_of(wanted), body_of(wanted, "legacy")

    assert current["contents"][0]["text"] == ("In the rain\nshot 1, 2, @image_1 looks up; shot 2, 3, rain on @image_2;")
    assert current["settings"]["multi_shot"] is True
    assert (legacy["multi_shot"], legacy["shot_type"], legacy["prompt"]) == (True, "customize", "In the rain")
    assert legacy["multi_prompt"] == [
        {"index": 1, "prompt": "<<<image_1>>> looks up", "duration": "2"},
        {"index": 2, "prompt": "rain on <<<image_2>>>", "duration": "3"},
    ]


def test_shots_that_are_the_prompt_are_said_once() -> None:
    """A storyboard without a prompt of its own has the shots for one."""
    shots = [{"index": 1, "prompt": "a boat", "duration": "5"}]
    wanted = request(prompt="shot 1, 5, a boat;", options={"multi_prompt": shots})

    assert body_of(wanted)["prompt"] == "shot 1, 5, a boat;"


@pytest.mark.parametrize(
    ("options", "legacy"),
    [
        ({}, {}),
        ({"multi_shot": False}, {"multi_shot": False}),
        ({"multi_shot": True}, {"multi_shot": True, "shot_type": "intelligence"}),
        ({"shot_type": "intelligence"}, {"multi_shot": True, "shot_type": "intelligence"}),
    ],
)
def test_the_older_api_is_told_who_plans_the_shots(options: dict[str, Any], legacy: dict[str, Any]) -> None:
    """It insists on `shot_type` where there are several."""
    sent = body_of(request(options=options), "legacy")

    assert {name: sent[name] for name in ("multi_shot", "shot_type") if name in sent} == legacy


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"multi_prompt": SHOTS, "multi_shot": False}, "need multi_shot"),
        ({"shot_type": "customize"}, "needs multi_prompt"),
        ({"multi_prompt": SHOTS, "shot_type": "intelligence"}, "shot_type customize"),
        ({"multi_prompt": SHOTS[:1]}, "must last 5 seconds together (got 2)"),
        ({"multi_prompt": ["a boat"]}, "must be an object"),
        ({"multi_prompt": [{"prompt": "a", "duration": "5", "camera": "x"}]}, "must be an object"),
        ({"multi_prompt": [{"prompt": "", "duration": "5"}]}, "1 to 512 characters"),
        ({"multi_prompt": [{"prompt": "a" * 513, "duration": "5"}]}, "1 to 512 characters"),
        ({"multi_prompt": [{"prompt": "a", "duration": 2.5}]}, "whole number of seconds"),
        ({"multi_prompt": [{"prompt": "a", "duration": "0"}]}, "whole number of seconds"),
        ({"multi_prompt": [{"prompt": "a", "duration": True}]}, "whole number of seconds"),
        ({"multi_prompt": [{"index": 2, "prompt": "a", "duration": "5"}]}, "numbered from 1"),
    ],
)
@pytest.mark.parametrize("service", ["current", "legacy"])
def test_shots_that_contradict_each_other_are_refused(service: str, options: dict[str, Any], why: str) -> None:
    """Kling ignores some of it, and would make, and bill, something else."""
    assert why in refusal(request(options=options), service)


def test_a_semicolon_would_end_a_shot_in_words() -> None:
    """Only where shots are words; the older API has a field for each."""
    wanted = request(options={"multi_prompt": [{"prompt": "a boat; a storm", "duration": "5"}]})

    assert "semicolon" in refusal(wanted)
    assert body_of(wanted, "legacy")["multi_prompt"][0]["prompt"] == "a boat; a storm"


# --- limits


@pytest.mark.parametrize(
    ("mode", "inputs", "field"), [(Mode.T2V, (), True), (Mode.I2V, (image(Role.FIRST_FRAME),), True)]
)
def test_what_should_not_appear_has_a_field_in_the_older_api(
    mode: Mode, inputs: tuple[Input, ...], field: bool
) -> None:
    """The current one wants it in the prompt, and so does omni in both."""
    sent = body_of(request(mode, *inputs, options={"negative_prompt": "people"}), "legacy")
    omni = body_of(request(Mode.R2V, image(), options={"negative_prompt": "people"}), "legacy")

    assert ("negative_prompt" in sent) is field
    assert (omni.get("negative_prompt"), omni["prompt"]) == (None, "A boat\nNegative prompt: people")


def test_prompts_of_the_older_api_end_earlier() -> None:
    """2500 characters instead of 3072, counted as they are sent."""
    wanted = request(prompt="x" * 2501)

    assert body_of(wanted)["prompt"] == wanted.prompt
    assert "2500 characters of prompt (got 2501)" in refusal(wanted, "legacy")
    assert "(got 2504)" in refusal(request(Mode.R2V, image(), prompt="@image_1 " + "x" * 2490), "legacy")


def test_everything_that_is_said_in_words_counts_as_prompt() -> None:
    """Of the current API's 3072 characters, that is."""
    wanted = request(prompt="x" * 3000, options={"negative_prompt": "y" * 100})

    assert "3072 characters of prompt, negative_prompt and shots together (got 3118)" in refusal(wanted)


@pytest.mark.parametrize(
    ("mode", "inputs"),
    [
        (Mode.I2V, (image(Role.FIRST_FRAME, size=10_000_001),)),
        (Mode.FIRST_LAST, (image(Role.FIRST_FRAME), image(Role.LAST_FRAME, size=10_000_001))),
        (Mode.R2V, (image(size=10_000_001),)),
    ],
)
def test_pictures_of_the_older_api_are_smaller(mode: Mode, inputs: tuple[Input, ...]) -> None:
    """10 MB instead of 50."""
    wanted = request(mode, *inputs)

    assert body_of(wanted)
    assert "10000000 bytes (got 10000001)" in refusal(wanted, "legacy")


def test_what_kling_cannot_do_is_refused() -> None:
    """No way to lengthen a video, no files at Kling, and no edit of a video that is gone."""
    file = Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, file_id="file_1")

    assert "no way to extend a video" in refusal(request(Mode.EXTEND, video(Role.SOURCE)))
    assert "Kling keeps no files" in refusal(request(Mode.I2V, file))
    assert "not here any more" in refusal(request(Mode.REMIX, seconds=None, source_video_id="video_0"))


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    """Unset fields are left out, so that Kling's own defaults hold and no key is in doubt."""
    wanted = request(Mode.I2V, image(Role.FIRST_FRAME), prompt="")

    assert body_of(wanted) == {
        "contents": [{"type": "first_frame", "url": "https://media.example.test/first_frame.png"}],
        "settings": {"audio": "off", "resolution": "720p", "duration": 5},
        "options": {"external_task_id": "video_1-1", "watermark_info": {"enabled": False}},
    }
    assert body_of(wanted, "legacy") == {
        "model_name": "kling-3.0",
        "mode": "std",
        "duration": "5",
        "sound": "off",
        "image": "https://media.example.test/first_frame.png",
        "watermark_info": {"enabled": False},
        "external_task_id": "video_1-1",
    }


@pytest.mark.parametrize("service", ["current", "legacy"])
def test_the_public_name_travels_where_the_account_says_so(service: str) -> None:
    """In the path or in the body, and safe in either."""
    sent = next(ADAPTER.submit(submission(request(), service, model="my/kling video")))

    assert sent.path == ("/v1/videos/text2video" if service == "legacy" else "/text-to-video/my%2Fkling%20video")
    assert sent.json.get("model_name") == ("my/kling video" if service == "legacy" else None)
