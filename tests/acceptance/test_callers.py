"""Who sees what, and what a repeated request means: tenants, scopes, lists and idempotency keys on a real server."""

import itertools
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture
from tests.acceptance.processes import PROGRAM, Answer, Gateway, make_key
from tests.acceptance.wire import File, as_multipart

pytestmark = pytest.mark.acceptance

REQUEST = {"model": "sora-2", "prompt": "A fox", "seconds": 4, "size": "1280x720"}
STUCK = {**REQUEST, "prompt": "A fox [[progress:stuck]]"}


class Stage(NamedTuple):
    gateway: Gateway
    folder: Path


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("gateway")
    with Gateway(folder) as gateway:
        yield Stage(gateway, folder)


# --- tenants and scopes


def test_another_tenants_video_does_not_exist(stage: Stage) -> None:
    """Read, watched, fetched, cancelled, deleted, remixed, listed, used as a source: 404 with the words of a wrong id."""
    gateway = stage.gateway
    video = gateway.finished(gateway.create(**REQUEST)["id"])
    stranger = make_key(stage.folder, "stranger", "--tenant", "elsewhere")

    def ask(method: str, path: str, body: Any = None, **options: Any) -> Answer:
        return gateway.ask(method, path, body=body, key=stranger, **options)

    own = f"/v1/videos/{video['id']}"
    source = {"prompt": "At night", "model": "sora-2", "video": {"id": video["id"]}}
    answers = [
        ask("GET", own),
        ask("GET", f"{own}?wait=5"),
        ask("DELETE", own),
        ask("POST", f"{own}/cancel"),
        ask("GET", f"{own}/content"),
        ask("GET", f"{own}/events"),
        ask("POST", f"{own}/remix", {"prompt": "At night"}),
        ask("POST", "/v1/videos/edits", source),
        ask("POST", "/v1/videos/extensions", source),
        ask("POST", "/v1/videos", {**source, "mode": "edit"}),
        ask("POST", "/v1/videos/quote", {**source, "mode": "edit"}),
        ask("GET", f"/v1/videos?after={video['id']}"),
    ]
    nobody = ask("GET", "/v1/videos/video_01m83pcqm62brt6gdpsfh522s8").json["error"]["message"]
    for answer in answers:
        error = answer.json["error"]
        assert (answer.status, error["code"]) == (404, "video_not_found"), answer.body
        assert error["message"] == nobody.replace("video_01m83pcqm62brt6gdpsfh522s8", video["id"])
    assert ask("HEAD", f"{own}/content").status == 404
    assert ask("GET", "/v1/videos").json["data"] == []
    assert gateway.ask("GET", own).json == video
    assert gateway.ask("GET", f"{own}/content").status == 200

    made = gateway.ask("POST", "/v1/videos", body=STUCK, key=stranger).json
    assert [listed["id"] for listed in ask("GET", "/v1/videos").json["data"]] == [made["id"]]
    assert gateway.ask("GET", f"/v1/videos/{made['id']}").status == 404
    assert "route" not in made
    assert ask("DELETE", f"/v1/videos/{made['id']}").status == 200
    assert gateway.ask("GET", f"/v1/videos/{made['id']}/content").status == 404
    assert ask("GET", f"/v1/videos/{made['id']}/content").status == 410


def test_a_key_that_may_only_read(stage: Stage) -> None:
    """It reads; whatever makes or ends a video is 403 and names the scope that is missing."""
    gateway = stage.gateway
    video = gateway.create(**STUCK)
    reader = make_key(stage.folder, "reader", "--scope", "read")
    assert gateway.ask("GET", f"/v1/videos/{video['id']}", key=reader).json["id"] == video["id"]
    for method, path, body in (
        ("POST", "/v1/videos", REQUEST),
        ("POST", "/v1/videos/quote", REQUEST),
        ("POST", f"/v1/videos/{video['id']}/cancel", None),
        ("DELETE", f"/v1/videos/{video['id']}", None),
    ):
        answer = gateway.ask(method, path, body=body, key=reader)
        assert (answer.status, answer.json["error"]["code"]) == (403, "permission_denied")
        assert "'create'" in answer.json["error"]["message"]
    assert gateway.ask("GET", f"/v1/videos/{video['id']}").json["status"] != "failed"


def test_a_key_that_was_revoked(stage: Stage) -> None:
    """401 within seconds, while the server runs."""
    made = subprocess.run(
        [PROGRAM, "keys", "create", "short", "--data-dir", str(stage.folder), "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    key = json.loads(made.stdout)
    assert stage.gateway.ask("GET", "/v1/videos", key=key["key"]).status == 200
    subprocess.run(
        [PROGRAM, "keys", "revoke", key["id"], "--data-dir", str(stage.folder)],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    video = stage.gateway.create(**STUCK)
    for _ in range(40):  # each read takes its half a second, which is how time passes here
        stage.gateway.ask("GET", f"/v1/videos/{video['id']}?wait=0.5")
        if stage.gateway.ask("GET", "/v1/videos", key=key["key"]).status == 401:
            break
    else:
        raise AssertionError("a revoked key still works after 20 seconds")


def test_a_video_is_read_by_the_callers_own_reference(stage: Stage) -> None:
    """The answer with its id may have been lost; and the reference of another tenant names nothing."""
    made = stage.gateway.create(**{**STUCK, "prompt": f"{STUCK['prompt']} mine"}, client_request_id="order-78")
    stranger = make_key(stage.folder, "nosy", "--tenant", "nosy")

    assert stage.gateway.ask("GET", "/v1/videos/order-78").json["id"] == made["id"]
    assert stage.gateway.ask("GET", "/v1/videos/order-79").status == 404
    assert stage.gateway.ask("GET", "/v1/videos/order-78", key=stranger).status == 404


# --- lists


@pytest.fixture(scope="module")
def shelf(stage: Stage) -> tuple[str, list[dict[str, Any]]]:
    """A tenant with seven videos: two models, two users, all four ends."""
    key = make_key(stage.folder, "librarian", "--tenant", "library")
    wishes = [
        {**REQUEST, "user": "ann"},
        {**REQUEST, "prompt": "[[fail:vendor_error]]"},
        {**STUCK, "model": "veo3.1", "user": "ann"},
        {**STUCK, "model": "veo3.1", "user": "bob"},
        {**STUCK, "user": "bob"},
        {**REQUEST, "model": "viduq3-turbo", "seconds": 1, "size": "960x540"},
        {**STUCK, "user": "ann"},
    ]
    made = [stage.gateway.ask("POST", "/v1/videos", body=wish, key=key).json for wish in wishes]
    for video in made[:2] + made[5:6]:
        assert stage.gateway.ask("GET", f"/v1/videos/{video['id']}?wait=60", key=key).json["progress"] in range(101)
    return key, [stage.gateway.ask("GET", f"/v1/videos/{video['id']}", key=key).json for video in made]


def pages(gateway: Gateway, key: str, query: str) -> Iterator[dict[str, Any]]:
    """Turn all pages of a list."""
    after = ""
    for _ in range(20):
        page: dict[str, Any] = gateway.ask("GET", f"/v1/videos?{query}{after}", key=key).json
        yield page
        if not page["has_more"]:
            return
        after = f"&after={page['last_id']}"
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_are_honest(stage: Stage, shelf: tuple[str, list[dict[str, Any]]], limit: int, order: str) -> None:
    """Every video once, in order; `has_more` is true exactly where more follows; the ids at the ends are right."""
    key, videos = shelf
    expected = [video["id"] for video in videos]
    expected = expected if order == "asc" else expected[::-1]
    turned = list(pages(stage.gateway, key, f"limit={limit}&order={order}"))
    assert [video["id"] for page in turned for video in page["data"]] == expected
    assert len(turned) == -(-len(expected) // limit)
    for page in turned:
        assert page["object"] == "list"
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("status=completed", [0, 5]),
        ("status=failed", [1]),
        ("status=completed,failed", [0, 1, 5]),
        ("status=completed&status=failed", [0, 1, 5]),
        ("status=queued&status=in_progress", [2, 3, 4, 6]),
        ("model=veo3.1", [2, 3]),
        ("user=ann", [0, 2, 6]),
        ("user=ann&model=veo3.1", [2]),
        ("user=nobody", []),
        ("model=no-such-model", []),
        ("created_after=1", [0, 1, 2, 3, 4, 5, 6]),
        ("created_before=1", []),
        ("created_after=4000000000", []),
        ("created_before=4000000000000", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_filters(stage: Stage, shelf: tuple[str, list[dict[str, Any]]], query: str, numbers: list[int]) -> None:
    """Alone and together, on one page and over several."""
    key, videos = shelf
    expected = [videos[number]["id"] for number in numbers]
    for limit in (1, 100):
        turned = list(pages(stage.gateway, key, f"{query}&order=asc&limit={limit}"))
        assert [video["id"] for page in turned for video in page["data"]] == expected
        assert len(turned) == max(1, -(-len(expected) // limit))
    if not numbers:
        assert (turned[0]["first_id"], turned[0]["last_id"]) == (None, None)


def test_an_end_of_a_page_that_is_not_there(stage: Stage, shelf: tuple[str, list[dict[str, Any]]]) -> None:
    """An unknown `after` is 404, instead of beginning again in silence."""
    answer = stage.gateway.ask("GET", "/v1/videos?after=video_01m83pcqm62brt6gdpsfh522s8", key=shelf[0])
    error = answer.json["error"]
    assert (answer.status, error["code"], error["param"]) == (404, "video_not_found", "after")


def test_pages_are_turned_while_what_they_show_is_deleted(stage: Stage) -> None:
    """`for video in client.videos.list(): client.videos.delete(video.id)` deletes all of them."""
    key = make_key(stage.folder, "sweeper", "--tenant", "sweepers")
    made = {stage.gateway.ask("POST", "/v1/videos", body=STUCK, key=key).json["id"] for _ in range(5)}
    deleted = set()
    for page in pages(stage.gateway, key, "limit=2"):
        for video in page["data"]:
            assert stage.gateway.ask("DELETE", f"/v1/videos/{video['id']}", key=key).status == 200
            deleted.add(video["id"])
    assert deleted == made


# --- repeated requests

NUMBERS = itertools.count()


def fresh_key() -> dict[str, str]:
    return {"Idempotency-Key": f"key-{next(NUMBERS)}"}


def count(gateway: Gateway) -> int:
    return sum(len(page["data"]) for page in pages(gateway, "sk-acceptance", "limit=100"))


def test_the_same_key_and_the_same_request(stage: Stage) -> None:
    """The first answer again, however the request is written; one video, paid once."""
    gateway, headers = stage.gateway, fresh_key()
    before = count(gateway)
    first = gateway.ask("POST", "/v1/videos", body=STUCK, headers=headers)
    again = gateway.ask("POST", "/v1/videos", body=STUCK, headers=headers)
    form, kind = as_multipart([(name, str(value)) for name, value in STUCK.items()])
    written = gateway.ask("POST", "/v1/videos", data=form, headers={**headers, **kind})
    assert (first.status, again.status, written.status) == (200, 200, 200)
    assert first.json["id"] == again.json["id"] == written.json["id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == written.headers["idempotent-replayed"] == "true"
    assert count(gateway) == before + 1


def test_the_same_key_and_another_request(stage: Stage) -> None:
    """409, and the first video is as it was."""
    gateway, headers = stage.gateway, fresh_key()
    first = gateway.ask("POST", "/v1/videos", body=STUCK, headers=headers)
    before = count(gateway)
    other = gateway.ask("POST", "/v1/videos", body={**STUCK, "seconds": 8}, headers=headers)
    error = other.json["error"]
    assert (other.status, error["code"], error["type"]) == (409, "idempotency_mismatch", "invalid_request_error")
    assert other.headers["x-should-retry"] == "false"
    assert "another" in error["message"]
    assert count(gateway) == before
    assert gateway.ask("GET", f"/v1/videos/{first.json['id']}").json["seconds"] == "4"


def test_the_same_key_with_a_file(stage: Stage) -> None:
    """The bytes count, not the name of the file; the copy that came again is not kept."""
    gateway, headers = stage.gateway, fresh_key()
    inputs = stage.folder / "assets" / "inputs"

    def post(file: File) -> Answer:
        form, kind = as_multipart([*((name, str(value)) for name, value in STUCK.items()), ("input_reference", file)])
        return gateway.ask("POST", "/v1/videos", data=form, headers={**headers, **kind})

    data = picture(1280, 720)
    first = post(File(data, "image/png", "a.png"))
    kept = len(list(inputs.iterdir()))
    again = post(File(data, "image/png", "b.png"))
    other = post(File(picture(1280, 720, shade=10), "image/png", "a.png"))
    assert first.json["id"] == again.json["id"]
    assert (other.status, other.json["error"]["code"]) == (409, "idempotency_mismatch")
    assert len(list(inputs.iterdir())) == kept


def test_a_key_belongs_to_one_caller(stage: Stage) -> None:
    """The same word from another API key is another key."""
    headers = fresh_key()
    other = make_key(stage.folder, "other", "--tenant", "elsewhere")
    first = stage.gateway.ask("POST", "/v1/videos", body=STUCK, headers=headers)
    second = stage.gateway.ask("POST", "/v1/videos", body={**STUCK, "seconds": 8}, headers=headers, key=other)
    assert (first.status, second.status) == (200, 200)
    assert first.json["id"] != second.json["id"]


def test_the_same_key_at_the_same_time(stage: Stage) -> None:
    """Twenty requests at once make one video, and all hear of it."""
    gateway, headers = stage.gateway, fresh_key()
    before, answers = count(gateway), []

    def post() -> None:
        answers.append(gateway.ask("POST", "/v1/videos", body=STUCK, headers=headers))

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert count(gateway) == before + 1


def test_a_refused_request_uses_up_no_key(stage: Stage) -> None:
    """What was refused can be mended and sent again under the same key."""
    headers = fresh_key()
    assert stage.gateway.ask("POST", "/v1/videos", body={**STUCK, "seconds": 5}, headers=headers).status == 400
    assert stage.gateway.ask("POST", "/v1/videos", body=STUCK, headers=headers).status == 200
