"""How much an account takes, and how that is learned."""

from hypothesis import given
from hypothesis import strategies as st

from reelway.engine.limits import UNLIMITED, Ceiling, Limits

NOW = 1_790_000_000.0


def test_a_refusal_halves_and_successes_creep_up_to_what_was_configured() -> None:
    """Never above it, and never below one."""
    places = Ceiling(10)
    places.refused(8, sent_at=NOW, now=NOW)
    assert places.allowed == 4
    for _ in range(5):
        places.accepted()
    assert places.allowed == 5
    for _ in range(200):
        places.accepted()
    assert places.allowed == 10
    for number in range(10):
        places.refused(10, sent_at=NOW + number + 1, now=NOW + number + 1)
    assert places.allowed == 1


def test_a_volley_of_refusals_is_one_piece_of_news() -> None:
    """Twenty requests that were under way together tell once that twenty were too many."""
    places = Ceiling(0)
    assert places.allowed == UNLIMITED
    for number in range(20):
        places.refused(20, sent_at=NOW - 1 + number / 100, now=NOW + number / 100)
    assert places.allowed == 10


@given(configured=st.integers(1, 500), count=st.integers(1, 60))
def test_nodes_share_a_limit_without_rest(configured: int, count: int) -> None:
    """Together they have what was configured; each has one at least."""
    parts = []
    for rank in range(count):
        places = Ceiling(configured)
        places.share(rank, count)
        parts.append(places.allowed)
    assert sum(parts) == max(configured, count)
    assert max(parts) - min(parts) <= 1


@given(st.lists(st.floats(0.0, 200.0), max_size=80), st.integers(1, 10))
def test_no_minute_has_more_requests_than_allowed(pauses: list[float], per_minute: int) -> None:
    """Whenever they come: what would be too much waits until it is told to come."""
    limits, now, sent = Limits(0, per_minute), NOW, list[float]()
    for pause in pauses:
        now = max(now + pause / 10, limits.opens_at(now + pause / 10))
        limits.sending(now)
        sent.append(now)
    for first in sent:
        assert sum(first <= time < first + 60.0 for time in sent) <= per_minute


def test_a_rate_refused_is_halved_and_the_account_rests_as_it_asked() -> None:
    """The next request goes out when the rest is over, and half as many in the next minute."""
    limits = Limits(0, 100)
    for number in range(40):
        limits.sending(NOW + number / 10)
    limits.rest(NOW + 4, 30.0)
    limits.was_too_fast(NOW + 3.9, NOW + 4)
    assert limits.opens_at(NOW + 5) >= NOW + 34
    after = NOW + 70
    for _ in range(20):
        assert limits.opens_at(after) <= after
        limits.sending(after)
    assert limits.opens_at(after) == after + 60
