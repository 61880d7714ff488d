"""From our adapter through our dialect and back, for every model and mode of every vendor: two gateways understand each other."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.vendors.round_trip import Line, carried, drawn, lines, meaning

FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@pytest.mark.parametrize("line", lines(), ids=str)
@FEW
@given(data=st.data())
def test_the_other_side_resolves_what_we_meant(line: Line, data: Any) -> None:
    """Whatever a card allows arrives with the same meaning, and nothing of it is in doubt."""
    request = data.draw(drawn(line))

    arrived, accepted = carried(line, request)

    assert meaning(arrived) == meaning(request)
    assert arrived.warnings == ()
    assert accepted.key == "video_b"
