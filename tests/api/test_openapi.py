"""The document against the code it describes: routes, fields, statuses, references."""

import re
from typing import Any

import msgspec
import pytest
from tests.api.conftest import Ask

from reelway.api.openapi import make_document
from reelway.api.operations import ERRORS, OPERATIONS
from reelway.api.requests import CreateBody
from reelway.core import errors
from reelway.core.errors import CallerError
from reelway.dialects.openai_videos import make_dialect
from reelway.dialects.spec import CreateVideo, FormField, Incoming

SEED_FIELDS = (
    *("model", "prompt", "image", "duration", "width", "height", "fps", "seed", "n", "response_format", "user"),
    *("metadata", "mode", "images", "content", "size", "seconds", "input_reference", "parameters"),
)
DOCUMENT = make_document(("sora-2", "veo3.1"))


def test_every_endpoint_of_the_dialect_is_documented() -> None:
    """And nothing is documented under a path that no endpoint has."""
    endpoints = {(endpoint.method.lower(), endpoint.path) for endpoint in make_dialect().endpoints}
    documented = {(operation.method, operation.path) for operation in OPERATIONS}
    assert endpoints <= documented
    assert documented - endpoints == {
        ("get", "/v1/videos/{id}/events"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{id}"),
        ("get", "/admin/v1/submits"),
        ("get", "/healthz"),
        ("get", "/readyz"),
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_every_documented_operation_is_there(ask: Ask, operation: Any) -> None:
    """None answers 405, nor the 404 of a path that leads nowhere."""
    answer = await ask(operation.method.upper(), operation.path.replace("{id}", "video_x"))
    assert answer.status != 405
    assert b"path_not_found" not in answer.body


def test_every_reference_leads_somewhere() -> None:
    """No `$ref` dangles."""
    for pointer in re.findall(r'"\$ref":"#/([^"]+)"', msgspec.json.encode(DOCUMENT).decode()):
        found: Any = DOCUMENT
        for part in pointer.split("/"):
            found = found[part]


def test_names_are_unique_and_nothing_of_ours_leaks() -> None:
    """Operation ids are distinct, and no text speaks of our own papers."""
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))
    assert b"contract" not in msgspec.json.encode(DOCUMENT)


def test_the_body_has_the_nineteen_fields_of_the_seed_page() -> None:
    """In its order or another, exactly these, in all three encodings."""
    content = DOCUMENT["paths"]["/v1/videos"]["post"]["requestBody"]["content"]
    assert set(CreateBody.__struct_fields__) == set(SEED_FIELDS)
    for kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        assert set(content[kind]["schema"]["properties"]) == set(SEED_FIELDS)
    assert len(SEED_FIELDS) == 19


SAMPLES = {
    "image": "https://example.com/a.png",
    "images": "https://example.com/a.png",
    "input_reference": "https://example.com/a.png",
    "duration": "8",
    "seconds": "8",
    "size": "1280x720",
    "width": "512",
    "height": "512",
    "response_format": "url",
    "metadata": '{"a": "b"}',
    "content": '[{"type": "text", "text": "x"}]',
    "parameters": '{"resolution": "720p"}',
}


@pytest.mark.parametrize("name", [name for name in SEED_FIELDS if name not in {"model", "width", "height"}])
def test_every_documented_field_is_understood(name: str) -> None:
    """What the document names, the dialect reads; it does not hand it on as an option nobody knows."""
    create = next(endpoint for endpoint in make_dialect().endpoints if endpoint.path == "/v1/videos")
    fields = [FormField(name="model", value="sora-2"), FormField(name=name, value=SAMPLES.get(name, "1"))]
    performed = create.read(Incoming(method="POST", path="/v1/videos", form=tuple(fields)))
    assert isinstance(performed, CreateVideo)
    assert name not in performed.request.options
    assert performed.request.evolve(spelled={}) != create.read(
        Incoming(method="POST", path="/v1/videos", form=(fields[0],))
    )


def test_every_status_we_can_raise_is_described() -> None:
    """Each error class of ours has its line in the table of statuses."""
    ours = {
        value.status for value in vars(errors).values() if isinstance(value, type) and issubclass(value, CallerError)
    }
    assert ours <= set(ERRORS)


async def test_it_is_served_with_the_names_of_the_models(ask: Ask) -> None:
    """`/openapi.json` needs no key and offers the names there are."""
    answer = await ask("GET", "/openapi.json", key=None)
    assert answer.status == 200
    assert answer.json["openapi"] == "3.1.0"
    assert "sora-2" in answer.json["components"]["schemas"]["CreateBody"]["properties"]["model"]["examples"]
