"""google-genai 2.x, unmodified, with an API key: the last client that speaks Veo's shape of the Gemini API.

Reads a list of calls from its first argument, and prints what each of them gave. A call is `[method, arguments]`. In the arguments
`{"from": N}` stands for what call N gave, `{"video_of": N}` for the video of the operation it gave, and `{"bytes": TEXT}` for bytes
in base64.
"""

import base64
import hashlib
import json
import os
import sys
import time

from google import genai
from google.genai import errors, types


def main() -> None:
    """Perform the calls in order."""
    options = json.loads(os.environ.get("GOOGLE_HTTP_OPTIONS", "{}"))
    client = genai.Client(
        api_key=os.environ["GOOGLE_KEY"],
        http_options=types.HttpOptions(base_url=os.environ["GOOGLE_BASE_URL"], **options),
    )
    given, told = [], []
    for method, arguments in json.loads(sys.argv[1]):
        given.append(perform(client, method, filled(arguments, given)))
        told.append(shown(given[-1]))
    print(json.dumps(told))


def perform(client, method, arguments):
    """Return what a call gave, or the error it raised."""
    try:
        match method:
            case "create":
                source = types.GenerateVideosSource(**arguments.pop("source"))
                config = types.GenerateVideosConfig(**arguments.pop("config", {}))
                return client.models.generate_videos(source=source, config=config, **arguments)
            case "poll":
                operation = arguments["operation"]
                while not operation.done:
                    time.sleep(0.05)
                    operation = client.operations.get(operation)
                return operation
            case "operation":
                return client.operations.get(types.GenerateVideosOperation(**arguments))
            case "download":
                data = client.files.download(file=arguments["file"])
                return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            case "save":
                client.files.download(file=arguments["file"])
                arguments["file"].save(arguments["path"])
                return None
            case "file":
                return client.files.get(**arguments)
            case "sleep":
                return time.sleep(arguments["seconds"])
    except errors.APIError as error:
        details = error.details.get("error", {}).get("details") if isinstance(error.details, dict) else None
        return {
            "raised": type(error).__name__,
            "code": error.code,
            "status": error.status,
            "message": error.message,
            "details": details,
        }
    except Exception as error:
        return {"raised": type(error).__name__, "message": str(error)}


def shown(answer):
    """Return plain data; what the client's own models do not know of it stands under `unknown`."""
    if answer is None or isinstance(answer, dict):
        return answer
    plain = answer.model_dump(mode="json", exclude_none=True)
    return {**plain, "unknown": sorted(answer.model_extra or {})}


def filled(value, given):
    if isinstance(value, list):
        return [filled(part, given) for part in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"from": number}:
            return given[number]
        case {"video_of": number}:
            return given[number].response.generated_videos[value.get("index", 0)].video
        case {"bytes": text}:
            return base64.b64decode(text)
        case _:
            return {name: filled(part, given) for name, part in value.items()}


if __name__ == "__main__":
    main()
