"""What is drawn from outcomes: the breaker, its probes, and the score."""

import pytest

from reelway.engine.health import Health, Stage

NOW = 1_790_000_000.0


def broken(stage: Stage = "submit") -> Health:
    """Return the health of an account that has just failed five times."""
    health = Health()
    for number in range(5):
        health.failed(stage, f"job{number}", NOW)
    assert health.is_open
    return health


def test_one_job_at_a_time_tries_whether_it_works_again() -> None:
    """After the pause one goes, and until its outcome is known nobody else does."""
    health = broken()
    assert health.opens_at() == NOW + 30
    health.begin("probe", NOW + 31)
    assert health.opens_at() is None
    health.succeeded("submit", NOW + 32)
    assert not health.is_open


def test_pauses_grow_while_probes_fail_and_have_an_end() -> None:
    """Thirty seconds, a minute, two, …, a quarter of an hour."""
    health, now, pauses = broken(), NOW, []
    for number in range(8):
        opens_at = health.opens_at()
        assert opens_at is not None
        pauses.append(opens_at - now)
        now = opens_at
        health.begin(f"probe{number}", now)
        health.failed("submit", f"probe{number}", now)
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]


def test_a_probe_that_tells_nothing_lets_another_one_try() -> None:
    """It was cancelled, or refused for its own contents."""
    health = broken("render")
    health.begin("probe", NOW + 31)
    health.let_go("probe")
    assert health.opens_at() == NOW + 30


@pytest.mark.parametrize(
    ("blamed", "went_well", "closes"),
    [
        ("submit", "submit", True),
        ("submit", "look", False),
        ("look", "look", True),
        ("render", "submit", False),
        ("render", "look", False),
        ("render", "render", True),
    ],
)
def test_only_what_was_blamed_or_more_closes_it(blamed: Stage, went_well: Stage, closes: bool) -> None:
    """An account that takes everything and finishes nothing is not well, and looks say nothing about submits."""
    health = broken(blamed)
    health.begin("probe", NOW + 31)
    health.succeeded(went_well, NOW + 32)
    assert health.is_open is not closes


def test_what_was_under_way_when_it_opened_is_not_news() -> None:
    """Late failures neither end the probe nor lengthen the pause."""
    health = broken("render")
    health.begin("probe", NOW + 31)
    health.failed("render", "job_from_before", NOW + 32)
    assert (health.probe, health.opens_at()) == ("probe", None)


def test_half_failing_is_a_trickle_and_good_outcomes_bring_it_back() -> None:
    """No five failures in a row are needed, and one at a time goes there until it does well."""
    health, now = Health(), NOW
    for number in range(60):
        now += 10
        health.failed("render", f"job{number}", now) if number % 2 else health.succeeded("render", now)
    assert not health.is_open
    assert health.vigour(now) == 0.0
    assert health.trickles_at(now, 50) is not None
    health.in_flight = 1
    assert health.trickles_at(now, 50) is None
    outcomes = 0
    while health.vigour(now) < 1.0:
        now += 10
        outcomes += 1
        health.succeeded("render", now)
    assert 8 <= outcomes <= 20


def test_a_trickle_is_slow_however_fast_an_account_fails() -> None:
    """Else the account that fails at once would see most of the work."""
    health = Health()
    for number in range(40):
        health.failed("render", f"job{number}", NOW) if number % 2 else health.succeeded("render", NOW)
    health.begin("job", NOW)
    assert health.trickles_at(NOW, 50) == NOW + 30


def test_what_was_bad_is_forgotten_in_time() -> None:
    """After a quiet night an account begins anew."""
    health = Health()
    for number in range(4):
        health.failed("render", f"job{number}", NOW)
    assert health.score(NOW) < 0.7
    assert health.score(NOW + 10 * 3600) > 0.99
