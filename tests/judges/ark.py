"""ByteDance's own client for Ark, unmodified. Reads a list of calls from its first argument, and prints what each of them gave.

A call is `[method, arguments]`; `{"from": N}` in the arguments stands for the id that call N gave. `poll` looks until a task has
ended, as ByteDance's own examples do, or is in the state `until`; `together` makes several creates at once.
"""

import concurrent.futures
import json
import os
import sys
import time

from volcenginesdkarkruntime import Ark
from volcenginesdkarkruntime._exceptions import ArkAPIError

ENDED = ("succeeded", "failed", "cancelled", "expired")


def main() -> None:
    """Perform the calls in order."""
    timeout = float(os.environ.get("ARK_TIMEOUT", "600"))
    client = Ark(base_url=os.environ["ARK_BASE_URL"], api_key=os.environ.get("ARK_API_KEY"), timeout=timeout)
    given = []
    for method, arguments in json.loads(sys.argv[1]):
        given.append(perform(client.content_generation.tasks, method, filled(arguments, given)))
    print(json.dumps(given))


def perform(tasks, method, arguments):
    """Return what a call gave as plain data, or what it raised."""
    try:
        if method == "poll":
            return poll(tasks, **arguments)
        if method == "together":
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                return list(pool.map(lambda _: shown(tasks.create(**arguments["create"])), range(arguments["times"])))
        if method == "raw_create":
            answer = tasks.with_raw_response.create(**arguments)
            return {**shown(answer.parse()), "headers": dict(answer.headers)}
        return shown(getattr(tasks, method)(**arguments))
    except ArkAPIError as error:
        return {
            "raised": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "code": error.code,
            "param": error.param,
            "type": error.type,
            "message": error.message,
            "request_id": error.request_id,
            "body": error.body,
        }


def poll(tasks, task_id, until=None):
    """Return the task when it has ended or come so far, and the states it was seen in."""
    states = []
    while True:
        task = tasks.get(task_id=task_id)
        if not states or states[-1] != task.status:
            states.append(task.status)
        if task.status in (until, *ENDED):
            return {**shown(task), "states": states}
        time.sleep(0.05)


def shown(answer):
    return None if answer is None else answer.to_dict()


def filled(value, given):
    if isinstance(value, dict):
        if set(value) == {"from"}:
            return given[value["from"]]["id"]
        return {name: filled(part, given) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, given) for part in value]
    return value


if __name__ == "__main__":
    main()
