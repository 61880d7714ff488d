"""What the general round trip does not draw: named references, and what belongs to one attempt alone."""

import pytest
from tests.vendors.peer import Peer, settled
from tests.vendors.round_trip import CATALOG, carried, lines, meaning, plain_request, submission_of
from tests.vendors.world import World

from reelway.catalog.resolve import resolve
from reelway.core.videos import Mode
from reelway.dialects.spec import CreateVideo
from reelway.vendors.vidu import ADAPTER

(LINE,) = [line for line in lines("vidu") if line.mode is Mode.R2V]


@pytest.mark.parametrize("names", [("Mira", "Otto"), ("Mira", "Mira"), ("あ", None)])
def test_subjects_arrive_under_their_names(names: tuple[str | None, str | None]) -> None:
    """In their order; one without a name gets one on its way, because there is no subject without."""
    plain = plain_request(LINE)
    given = plain.inputs[0]
    request = plain.evolve(prompt="@Mira waves", inputs=tuple(given.evolve(name=name) for name in names))

    arrived, _ = carried(LINE, request)

    assert [item.name for item in arrived.inputs] == [name or "image_2" for name in names]
    unnamed = [one.evolve(inputs=tuple(item.evolve(name=None) for item in one.inputs)) for one in (arrived, request)]
    assert meaning(unnamed[0]) == meaning(unnamed[1])


def test_the_mark_arrives_as_a_tag_and_not_as_a_key() -> None:
    """Vidu makes nothing of `payload`, so equal ones are no repetition; the callback address comes along."""
    peer = Peer("vidu", World())
    url = "https://gw.example.test/callbacks/video_a/1/secret"
    peer.run(ADAPTER.submit(submission_of(LINE, plain_request(LINE), callback_url=url)))

    (call,) = peer.calls
    assert isinstance(call, CreateVideo)
    resolved = resolve(settled(call.request), CATALOG.card("viduq3-turbo"))
    assert (resolved.tags, resolved.client_reference) == ({"payload": "video_a-1"}, None)
    assert (resolved.callback_url, resolved.callback_dialect) == (url, "vidu")


def test_a_lost_create_is_found_among_others() -> None:
    """By its mark, whatever else was made at the time."""
    peer = Peer("vidu", World())
    wanted = submission_of(LINE, plain_request(LINE))
    for reference in ("video_a-2", "video_a-1", "video_a-10"):
        peer.run(ADAPTER.submit(wanted.evolve(reference=reference)))

    (found,) = peer.run(ADAPTER.find(wanted))

    assert (found.key, found.certain) == ("video_b1", True)
