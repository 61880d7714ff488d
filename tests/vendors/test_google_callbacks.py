"""Events of Google's webhooks, at the secret address of an attempt: they name work and wake, and nothing in them is believed."""

from typing import Any

import msgspec
import pytest
from tests.vendors.google_cases import OMNI, VEO, submission

from reelway.core.errors import UnexpectedResponse
from reelway.vendors.google import ADAPTER
from reelway.vendors.spec import Callback, Heard


def heard(body: Any, request: Any = OMNI) -> Heard:
    return ADAPTER.read_callback(Callback(body=msgspec.json.encode(body)), submission(request))


def test_an_event_with_another_attempts_mark_is_refused() -> None:
    """Wherever the mark stands."""
    for body in (
        {"type": "interaction.completed", "data": {"id": "v1_1", "user_metadata": {"reelway_attempt": "video_2-1"}}},
        {"type": "interaction.completed", "data": {"id": "v1_1"}, "user_metadata": {"reelway_attempt": "video_2-1"}},
    ):
        with pytest.raises(UnexpectedResponse, match="another attempt"):
            heard(body)


@pytest.mark.parametrize("data", [{}, {"id": 5}, {"id": ""}, {"id": "models/veo/operations/1"}])
def test_an_event_without_an_interaction_only_wakes(data: Any) -> None:
    """The next look tells."""
    assert heard({"type": "video.generated", "data": data}) == Heard()


@pytest.mark.parametrize("data", [{}, {"id": "v1_1"}, {"id": "models/veo/operations/1/2"}])
def test_an_event_without_an_operation_only_wakes(data: Any) -> None:
    """An address that is no operation is never asked about."""
    assert heard({"type": "video.generated", "data": data}, VEO) == Heard()


@pytest.mark.parametrize("body", [None, [], "x", {"type": 5, "data": {}}, {"type": "x"}, {"type": "x", "data": []}])
def test_an_event_of_another_shape_is_refused(body: Any) -> None:
    """Nothing in it is believed."""
    with pytest.raises(UnexpectedResponse):
        heard(body)
