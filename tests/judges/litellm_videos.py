"""LiteLLM as a library, unmodified, which speaks vendors' own shapes. Reads calls from its first argument, prints what each gave.

A call is `[function, arguments]`; `{"from": N}` in the arguments stands for the id that call N gave, `{"base64": TEXT}` for
bytes. `poll` looks until a video has ended; `content` says how long the file is and how it begins.
"""

import base64
import json
import os
import sys
import time

import litellm

ENDED = ("completed", "failed", "cancelled")


def main():
    """Perform the calls in order."""
    litellm.user_url_allowed_hosts = ["127.0.0.1"]
    where = {"api_base": os.environ["JUDGE_BASE"], "api_key": os.environ["JUDGE_KEY"]}
    given = []
    for function, arguments in json.loads(sys.argv[1]):
        given.append(perform(function, {**where, **filled(arguments, given)}))
    print(json.dumps(given))


def perform(function, arguments):
    """Return what a call gave as plain data, or what it raised."""
    try:
        if function == "poll":
            return poll(arguments)
        if function == "content":
            data = litellm.video_content(**arguments)
            return {"bytes": len(data), "type": data[4:8].decode()}
        if function == "list":
            return litellm.video_list(**arguments)
        return litellm.video_generation(**arguments).model_dump()
    except Exception as error:
        return {"raised": type(error).__name__, "status": getattr(error, "status_code", None), "message": str(error)}


def poll(arguments):
    """Return the video when it has ended, and the states it was seen in."""
    states = []
    while True:
        video = litellm.video_status(**arguments)
        if not states or states[-1] != video.status:
            states.append(video.status)
        if video.status in ENDED:
            return {**video.model_dump(), "states": states}
        time.sleep(0.05)


def filled(value, given):
    if isinstance(value, dict):
        if set(value) == {"from"}:
            return given[value["from"]]["id"]
        if set(value) == {"base64"}:
            return base64.b64decode(value["base64"])
        return {name: filled(part, given) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, given) for part in value]
    return value


if __name__ == "__main__":
    main()
