"""The OpenAPI 3.1 document, assembled from the records that describe our wire and the table of operations.

Pure. The rule: it is true. Nothing is written here that is not also in `operations`, `shapes` or `requests`.
"""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from reelway import __version__
from reelway.api.operations import ERRORS, OPERATIONS, Operation, Parameter
from reelway.api.requests import BODIES
from reelway.api.samples import samples_of
from reelway.api.shapes import ANSWERS

__all__ = ["make_document"]

_REFERENCE = "#/components/schemas/"
_INTRODUCTION = """One API for every video model. Ask for a video, get an id at once, and fetch the file when it is done.

It is the OpenAI Videos API, so the official clients work with another base address:
`OpenAI(base_url="http://localhost:8080/v1", api_key="sk-…").videos.create(…)`."""
_TAGS = {
    "Videos": "Ask for videos and follow them.",
    "Files": "Fetch what was made.",
    "Models": "What can be asked for.",
    "Characters": "Who or what a prompt calls by name, shown once.",
    "Operations": "For whoever runs the server; no key needed.",
}
_HEADERS: dict[str, dict[str, Any]] = {
    "x-request-id": {
        "schema": {"type": "string"},
        "description": "Name it when you report a problem.",
        "required": True,
    },
    "openai-poll-after-ms": {
        "schema": {"type": "integer", "minimum": 1},
        "description": "Unfinished only: when it is worth asking again.",
    },
    "idempotent-replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "This is the answer to an earlier request with the same key.",
    },
    "retry-after": {
        "schema": {"type": "integer", "minimum": 1},
        "description": "Seconds until it is worth trying again.",
    },
    "x-should-retry": {
        "schema": {"type": "string", "enum": ["false"]},
        "description": "Tells the official clients not to repeat the request by themselves.",
    },
    "etag": {"schema": {"type": "string"}, "description": "The SHA-256 of the file, in quotes.", "required": True},
    "accept-ranges": {"schema": {"type": "string", "enum": ["bytes"]}, "description": "Parts can be asked for."},
    "content-range": {"schema": {"type": "string"}, "description": "Which part of how much."},
    "content-disposition": {"schema": {"type": "string"}, "description": "A name to save it under."},
}
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}, {"xApiKey": []}]
_BINARY = {"type": "string", "format": "binary"}
_TEXT = {"type": "string"}


def make_document(model_names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the document; `model_names` become the examples of `model`."""
    schemas = _schemas(model_names)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reelway",
            "version": __version__,
            "summary": "One API for every video model.",
            "description": _INTRODUCTION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {f"Error{status}": _error(status, with_body=True) for status in ERRORS},
            "headers": _HEADERS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer sk-…`"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
                "xApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _schemas(model_names: Sequence[str]) -> dict[str, Any]:
    _, found = msgspec.json.schema_components((*ANSWERS, *BODIES), ref_template=_REFERENCE + "{name}")
    schemas: dict[str, Any] = copy.deepcopy(found)
    for schema in schemas.values():
        schema.pop("title", None)
        schema.pop("additionalProperties", None)
        if "enum" in schema:
            schema["type"] = "string"
            schema.pop("description", None)
        for described in schema.get("properties", {}).values():
            if described.get("default", ...) is None:
                del described["default"]
    if model_names:
        schemas["CreateBody"]["properties"]["model"]["examples"] = sorted(
            model_names, key=lambda name: (len(name), name)
        )
    return dict(sorted(schemas.items()))


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": _responses(operation),
        "security": [] if not operation.keyed else [*_SECURITY, *([{}] if operation.links else [])],
    }
    if operation.description:
        document["description"] = operation.description
    if operation.parameters:
        document["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        document["requestBody"] = {"required": True, "content": _contents(operation.body, schemas)}
    samples = samples_of(operation)
    if samples:
        document["x-codeSamples"] = samples
    return document


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.is_required,
        "description": parameter.description,
        "schema": parameter.schema,
    }


# --- answers


def _responses(operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    content = {kind: {"schema": schema} for kind, schema in operation.content.items()}
    if operation.answer is not None:
        content["application/json"] = {"schema": {"$ref": _REFERENCE + operation.answer}}
    if content:
        responses["200"] = {
            "description": operation.answer_text,
            "headers": _headers(operation.headers),
            "content": content if operation.method != "head" else {},
        }
    for status, text in operation.more.items():
        responses[str(status)] = _further(operation, status, text, content)
    for status in operation.errors:
        shared = {"$ref": f"#/components/responses/Error{status}"}
        responses.setdefault(str(status), shared if operation.method != "head" else _error(status, with_body=False))
    return {status: _without_empty(responses[status]) for status in sorted(responses)}


def _further(operation: Operation, status: int, text: str, content: dict[str, Any]) -> dict[str, Any]:
    with_body = status in {206, 503}
    headers = (*operation.headers, "content-range") if status == 206 else ("x-request-id",)
    return {"description": text, "headers": _headers(headers), "content": content if with_body else {}}


def _error(status: int, *, with_body: bool) -> dict[str, Any]:
    names = ["x-request-id", "x-should-retry"]
    if status in {409, 429, 503}:
        names.append("retry-after")
    if status == 416:
        names.append("content-range")
    content = {"application/json": {"schema": {"$ref": _REFERENCE + "ErrorEnvelope"}}}
    return {
        "description": ERRORS[status],
        "headers": _headers(names),
        **({"content": content} if with_body else {}),
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _without_empty(response: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if value != {}}


# --- bodies


def _contents(name: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the body in its three encodings; the forms are the JSON shape with every value as text, or as a file."""
    shape = schemas[name]
    return {
        "multipart/form-data": {"schema": _as_form(shape, files=True)},
        "application/json": {"schema": {"$ref": _REFERENCE + name}},
        "application/x-www-form-urlencoded": {"schema": _as_form(shape, files=False)},
    }


def _as_form(shape: dict[str, Any], *, files: bool) -> dict[str, Any]:
    properties = {name: _as_field(described, files=files) for name, described in shape["properties"].items()}
    return {"type": "object", "properties": properties, "required": shape["required"]}


def _as_field(described: dict[str, Any], *, files: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {name: described[name] for name in ("description", "examples") if name in described}
    choices = described.get("anyOf", [described])
    takes_media = any("$ref" in choice or "$ref" in str(choice.get("items")) for choice in choices)
    takes_several = any(choice.get("type") == "array" for choice in choices)
    if takes_media and files:
        one: dict[str, Any] = {"anyOf": [_BINARY, _TEXT]}
        return {**kept, **({"type": "array", "items": one} if takes_several else one)}
    if any(choice.get("type") in {"object", "array"} for choice in choices) and not takes_media:
        return {**kept, **_TEXT, "contentMediaType": "application/json"}
    words = next((choice["enum"] for choice in choices if "enum" in choice), None)
    limits = {name: choice[name] for choice in choices for name in ("maxLength",) if name in choice}
    return {**kept, **_TEXT, **limits, **({"enum": words} if words else {})}
