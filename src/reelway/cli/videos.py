"""`reelway videos`: look at what there is, wait for it, fetch it, end it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import ApiKey, DataDir, Force, Json, Timeout, Url

__all__ = ["app"]

app = typer.Typer(
    help="List, wait for, download, cancel and delete videos.", no_args_is_help=True, rich_markup_mode=None
)

VideoId = Annotated[str, typer.Argument(metavar="ID", help="The id of a video.")]


@app.command("list")
def list_videos(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 20,
    status: Annotated[
        str | None, typer.Option("--status", help="queued, in_progress, completed or failed.", show_default=False)
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Only this model.", show_default=False)] = None,
    as_json: Json = False,
    url: Url = None,
    key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """List your videos, newest first."""
    from reelway.cli.embedded import connect
    from reelway.cli.output import emit, table, video_line

    query = {name: value for name, value in (("status", status), ("model", model)) if value}
    videos: list[dict[str, Any]] = []
    with connect(url, key, data_dir, quiet=as_json) as client:
        while len(videos) < limit:
            page = client.list(query | {"limit": str(min(100, limit - len(videos)))})
            videos += page["data"]
            if not page.get("has_more") or not page["data"]:
                break
            query["after"] = page["last_id"]
    if as_json:
        emit({"object": "list", "data": videos})
    else:
        table(("ID", "STATUS", "DONE", "MODEL", "SECONDS", "SIZE", "CREATED"), map(video_line, videos))


@app.command("get")
def get_video(
    video_id: VideoId, as_json: Json = False, url: Url = None, key: ApiKey = None, data_dir: DataDir = None
) -> None:
    """Show one video."""
    from reelway.cli.embedded import connect
    from reelway.cli.output import emit, moment

    with connect(url, key, data_dir, quiet=as_json) as client:
        video, _ = client.read(video_id)
    if as_json:
        emit(video)
        return
    for name, value in video.items():
        if value in (None, [], {}) or name in {"object", "task_id", "outputs", "video_url"}:
            continue
        typer.echo(f"{name:22} {moment(value) if name.endswith('_at') else _text(value)}")


@app.command("wait")
def wait_for_video(
    video_id: VideoId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write when it is done.", show_default=False)
    ] = None,
    timeout: Timeout = None,
    force: Force = False,
    as_json: Json = False,
    url: Url = None,
    key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Watch a video until it is done, and save it if a file is named."""
    from reelway.cli.embedded import connect
    from reelway.cli.finishing import finish, print_result
    from reelway.cli.progress import make_reporter
    from reelway.cli.saving import check_target

    if output is not None:
        check_target(output, overwrite=force)
    with connect(url, key, data_dir, quiet=as_json) as client, make_reporter(quiet=as_json) as reporter:
        video, files = finish(client, video_id, output, reporter, timeout_seconds=timeout)
    print_result(video, files, as_json=as_json)


@app.command("download")
def download_video(
    video_id: VideoId,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write. Default: named after the id.", show_default=False),
    ] = None,
    variant: Annotated[str, typer.Option("--variant", help="video, thumbnail, spritesheet or last_frame.")] = "video",
    index: Annotated[int, typer.Option("--index", min=0, help="Which take, from 0.")] = 0,
    force: Force = False,
    as_json: Json = False,
    url: Url = None,
    key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Save a file of a finished video. A download that broke off goes on where it stopped."""
    from reelway.cli.embedded import connect
    from reelway.cli.finishing import ENDINGS
    from reelway.cli.output import emit
    from reelway.cli.progress import make_reporter
    from reelway.cli.saving import check_target, save

    if variant not in ENDINGS:
        raise CommandFailed(
            f"--variant is one of {', '.join(ENDINGS)} (got {variant!r}).", Exit.INVALID, param="variant"
        )
    take = f"-{index}" if index else ""
    target = output or Path(f"{video_id}{take}{ENDINGS[variant]}")
    check_target(target, overwrite=force)
    with connect(url, key, data_dir, quiet=as_json) as client, make_reporter(quiet=as_json) as reporter:
        video, _ = client.read(video_id)
        outputs = {made["index"]: made for made in video.get("outputs") or ()}
        sha256 = outputs.get(index, {}).get("sha256") if variant == "video" else None
        size = save(client, video_id, target, variant=variant, index=index, sha256=sha256, report=reporter.bytes)
    if as_json:
        emit({"id": video_id, "variant": variant, "index": index, "file": str(target), "bytes": size})
    else:
        typer.echo(str(target))


@app.command("cancel")
def cancel_video(
    video_id: VideoId, as_json: Json = False, url: Url = None, key: ApiKey = None, data_dir: DataDir = None
) -> None:
    """Cancel a video that is not finished."""
    from reelway.cli.embedded import connect
    from reelway.cli.output import emit

    with connect(url, key, data_dir, quiet=as_json) as client:
        video = client.cancel(video_id)
    if as_json:
        emit(video)
        return
    error = video.get("error") or {}
    typer.echo(f"{video_id}: {error.get('message') or video['status']}")


@app.command("delete")
def delete_video(
    video_id: VideoId, as_json: Json = False, url: Url = None, key: ApiKey = None, data_dir: DataDir = None
) -> None:
    """Delete a video and its files; one that is still running is cancelled first."""
    from reelway.cli.embedded import connect
    from reelway.cli.output import emit

    with connect(url, key, data_dir, quiet=as_json) as client:
        deleted = client.delete(video_id)
    if as_json:
        emit(deleted)
    else:
        typer.echo(f"{video_id}: deleted")


def _text(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
