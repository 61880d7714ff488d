"""A gateway whose vendor is Google, which the sandbox plays; and Google's own clients pointed at it."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.acceptance.judges import run_judge
from tests.acceptance.processes import KEY, Gateway, Sandbox

__all__ = ["PAINTS_NOTHING", "World", "accounts", "google_world"]

PAINTS_NOTHING = "[[fail:vendor_error]]"
"""For videos that nobody will look at."""


class World(NamedTuple):
    gateway: Gateway
    vendor: Sandbox

    def calls(
        self,
        major: int,
        *calls: Any,
        url: str | None = None,
        key: str = KEY,
        project: str | None = None,
        **options: Any,
    ) -> list[Any]:
        """Return what google-genai of this major version got for each call; `options` are its HTTP options."""
        environment = {
            "GOOGLE_BASE_URL": url or self.gateway.url,
            "GOOGLE_KEY": key,
            "GOOGLE_HTTP_OPTIONS": json.dumps(options),
            **({} if project is None else {"GOOGLE_PROJECT": project}),
        }
        name, script = f"google-genai-{major}", f"google_genai_{major}.py"
        given: list[Any] = run_judge(name, script, json.dumps(calls), environment=environment)
        return given

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]

    def digest(self, video_id: str) -> str:
        """Return the SHA-256 of the first file of a video, as our own API tells it."""
        return str(self.gateway.ask("GET", f"/v1/videos/{video_id}").json["outputs"][0]["sha256"])


def accounts(vendor: Sandbox) -> str:
    """Return the settings of accounts at the Gemini API and on Vertex AI."""
    return (
        f'[[account]]\nname = "google"\nvendor = "google"\nservice = "gemini-api"\n'
        f'base_url = "{vendor.url}"\nkey = "{KEY}"\n'
        f'[[account]]\nname = "vertex"\nvendor = "vertex"\nservice = "vertex"\n'
        f'base_url = "{vendor.url}"\nsecrets = {{ access_token = "{KEY}" }}\n'
        'settings = { project = "acme", location = "us-central1" }\n'
    )


@contextlib.contextmanager
def google_world(folder: Path, **environment: str) -> Iterator[World]:
    """Start both processes; yield them."""
    with (
        Sandbox(folder / "vendor") as vendor,
        Gateway(folder / "gateway", settings=accounts(vendor), environment=environment) as gateway,
    ):
        yield World(gateway, vendor)
