"""The OpenAPI document tells the truth: schemathesis asks everything it allows and much that it does not.

By itself this runs against the app over the stand-in. With `REELWAY_TEST_URL` (and `REELWAY_TEST_KEY`) it asks a running server.
"""

import os
from functools import cached_property
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks
from tests.api.standin import IDS, KEY, StandIn, video_of

from reelway.api.app import make_app
from reelway.core.lifecycle import Status
from reelway.core.videos import Video

URL = os.environ.get("REELWAY_TEST_URL")
HEADERS = {"Authorization": f"Bearer {os.environ.get('REELWAY_TEST_KEY', KEY)}"}
EXAMPLES = int(os.environ.get("REELWAY_TEST_EXAMPLES", "10"))

CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
    openapi_checks.allow_header_conformance,
    openapi_checks.ignored_auth,
]


class EveryId(StandIn):
    """Has a video, or had one, under nearly every id, so that more than 404 is seen."""

    def find(self, video_id: str) -> Video | None:
        choices = [IDS[Status.COMPLETED], *IDS.values(), self.gone.id, None]
        chosen = choices[sum(video_id.encode("utf-8", "replace")) % len(choices)]
        return self.videos[chosen] if chosen else None

    @cached_property
    def gone(self) -> Video:
        video = video_of(Status.COMPLETED, id="video_gone")
        self.videos[video.id] = video
        self.deleted.add(video.id)
        return video


if URL:
    schema = schemathesis.openapi.from_url(f"{URL}/openapi.json")
else:
    schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(EveryId()))  # type: ignore[arg-type]


@pytest.mark.slow
@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_answer_is_documented(case: Any) -> None:
    """No 500, no status, type, header or shape that the document does not name; no way around the key."""
    # In a body an empty value of any type is as good as none, which a schema has no short way to say.
    rejection = [] if case.operation.body else [openapi_checks.negative_data_rejection]
    case.call_and_validate(headers=HEADERS, checks=[*CHECKS, *rejection])
