"""Alibaba's own client for DashScope, unmodified, in both of its forms. Reads a list of calls from its first argument, and prints
what each of them gave.

A call is `[form, method, arguments]`: `new` is the client of version 2 (`Client().videos.jobs`), `old` the classes that came before
it (`VideoSynthesis`). `{"from": N}` in the arguments stands for the id that call N gave. `poll` looks until a task has ended;
`together` makes several creates at once.
"""

import concurrent.futures
import json
import os
import sys
import time

import dashscope
from dashscope.aigc.video_synthesis import VideoSynthesis
from dashscope.v2.errors import DashScopeError

ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN")


def main() -> None:
    """Perform the calls in order."""
    timeout = os.environ.get("JUDGE_TIMEOUT")
    client = dashscope.Client(**({"timeout": float(timeout)} if timeout else {}))
    given = []
    for form, method, arguments in json.loads(sys.argv[1]):
        arguments = filled(arguments, given)
        given.append(new(client.videos.jobs, method, arguments) if form == "new" else old(method, arguments))
    print(json.dumps(given, default=str))


def new(jobs, method, arguments):
    """Return what a call of the newer form gave as plain data, or what it raised."""
    try:
        if method == "sleep":
            return time.sleep(arguments["seconds"])
        if method == "poll":
            return followed(lambda: jobs.fetch(arguments["task_id"]).model_dump())
        if method == "together":
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                return list(
                    pool.map(lambda _: jobs.create(**arguments["create"]).model_dump(), range(arguments["times"]))
                )
        if method == "wait":
            return jobs.wait(arguments["task_id"], poll_interval=0.1, max_interval=0.5).model_dump()
        return getattr(jobs, method)(**arguments).model_dump()
    except DashScopeError as error:
        return {
            "raised": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "message": error.message,
            "request_id": error.request_id,
            "body": error.body,
        }


def old(method, arguments):
    """Return what a call of the older form gave; its errors are answers too."""
    if method == "poll":
        return followed(lambda: plain(VideoSynthesis.fetch(arguments["task_id"])))
    if method in ("fetch", "cancel", "wait"):
        return plain(getattr(VideoSynthesis, method)(arguments["task_id"]))
    return plain(getattr(VideoSynthesis, method)(**arguments))


def plain(answer):
    """Return an answer as data, with the id of the task on top as in the newer form."""
    data = {"status_code": answer.status_code, "code": answer.code, "message": answer.message}
    data |= {"output": answer.output, "usage": answer.usage, "request_id": answer.request_id}
    if isinstance(answer.output, dict):
        data |= {"task_id": answer.output.get("task_id"), "status": answer.output.get("task_status")}
    return data


def followed(look):
    """Return the task when it has ended, and the states it was seen in."""
    states = []
    while True:
        task = look()
        if not states or states[-1] != task["status"]:
            states.append(task["status"])
        if task["status"] in ENDED:
            return {**task, "states": states}
        time.sleep(0.05)


def filled(value, given):
    if isinstance(value, dict):
        if set(value) == {"from"}:
            return given[value["from"]]["task_id"]
        return {name: filled(part, given) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, given) for part in value]
    return value


if __name__ == "__main__":
    main()
