"""google-genai 3.x, unmodified: Veo on Vertex AI with a credential, and the Interactions API on both surfaces.

Reads a list of calls from its first argument, and prints what each of them gave. A call is `[method, arguments]`. In the arguments
`{"from": N}` stands for what call N gave, `{"id_of": N}` for its id, `{"uri_of": N}` for the address of its video, and
`{"video_of": N}` for the video of the operation it gave; `{"bytes": TEXT}` is bytes in base64. With `GOOGLE_PROJECT` set, the
surface is Vertex AI.
"""

import base64
import concurrent.futures
import hashlib
import json
import os
import sys
import time

from google import genai
from google.genai import errors, types
from google.genai._gaos.types import interactions
from google.oauth2.credentials import Credentials

ENDED = ("completed", "failed", "cancelled", "incomplete", "budget_exceeded")


def main() -> None:
    """Perform the calls in order."""
    options = types.HttpOptions(
        base_url=os.environ["GOOGLE_BASE_URL"], **json.loads(os.environ.get("GOOGLE_HTTP_OPTIONS", "{}"))
    )
    key, project = os.environ["GOOGLE_KEY"], os.environ.get("GOOGLE_PROJECT")
    if project is None:
        client = genai.Client(api_key=key, http_options=options)
    else:
        client = genai.Client(
            enterprise=True, project=project, location="us-central1", credentials=Credentials(key), http_options=options
        )
    given, told = [], []
    for method, arguments in json.loads(sys.argv[1]):
        given.append(perform(client, method, filled(arguments, given)))
        told.append(shown(given[-1]))
    print(json.dumps(told))


def perform(client, method, arguments):
    """Return what a call gave, or the error it raised."""
    try:
        return CALLS[method](client, **arguments)
    except errors.APIError as error:
        return {"raised": type(error).__name__, "code": error.code, "status": error.status, "message": error.message}
    except Exception as error:
        body = getattr(error, "body", None)
        status = getattr(error, "status_code", None)
        return {"raised": type(error).__name__, "code": status, "body": body, "message": str(error)}


def generate(client, *, source, config=None, **arguments):
    """Begin a video of Veo."""
    wishes = types.GenerateVideosConfig(**(config or {}))
    return client.models.generate_videos(source=types.GenerateVideosSource(**source), config=wishes, **arguments)


def fetch(client, *, operation):
    """Return an operation when it is done."""
    while not operation.done:
        time.sleep(0.05)
        operation = client.operations.get(operation)
    return operation


def raw_create(client, **arguments):
    """Create an interaction; return the headers of the answer too."""
    answer = client.interactions.with_raw_response.create(**arguments)
    return {**shown(answer.parse()), "headers": dict(answer.headers)}


def poll(client, *, id):  # noqa: A002 - as the client calls it
    """Return an interaction when it has ended."""
    while (interaction := client.interactions.get(id)).status not in ENDED:
        time.sleep(0.05)
    return interaction


def download(client, *, file):
    """Return what a file is, by its address or as the video of an operation."""
    data = client.files.download(file=file)
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def together(client, *, times, create):
    """Create several interactions at once."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: client.interactions.create(**create), range(times)))
    return {"ids": [interaction.id for interaction in made]}


CALLS = {
    "generate": generate,
    "fetch": fetch,
    "create": lambda client, **arguments: client.interactions.create(**arguments),
    "raw_create": raw_create,
    "poll": poll,
    "get": lambda client, **arguments: client.interactions.get(**arguments),
    "cancel": lambda client, **arguments: client.interactions.cancel(**arguments),
    "delete": lambda client, **arguments: client.interactions.delete(**arguments),
    "download": download,
    "together": together,
    "sleep": lambda _, seconds: time.sleep(seconds),
}


def shown(answer):
    """Return plain data; what the client's own models do not know of it stands under `unknown`."""
    if answer is None or isinstance(answer, dict):
        return answer
    plain = answer.model_dump(mode="json", exclude_none=True)
    if isinstance(answer, interactions.Interaction):
        interactions.Interaction.model_validate(plain)
    return {**plain, "unknown": sorted(answer.model_extra or {})}


def filled(value, given):
    if isinstance(value, list):
        return [filled(part, given) for part in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"from": number}:
            return given[number]
        case {"id_of": number}:
            return given[number].id
        case {"uri_of": number}:
            return given[number].output_video.uri
        case {"video_of": number}:
            return given[number].response.generated_videos[0].video
        case {"bytes": text}:
            return base64.b64decode(text)
        case _:
            return {name: filled(part, given) for name, part in value.items()}


if __name__ == "__main__":
    main()
