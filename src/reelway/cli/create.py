"""`reelway create`: from a sentence to a file."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import ApiKey, DataDir, Force, Json, Timeout, Url

__all__ = ["create"]

DEFAULT_MODEL = "veo3.1"


def create(
    prompt: Annotated[str, typer.Argument(help="What the video shows.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model of `reelway models`, or an alias.")
    ] = DEFAULT_MODEL,
    seconds: Annotated[str | None, typer.Option("--seconds", "-s", help="Length.", show_default=False)] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="1280x720, 16:9, 720p, … as the model allows.", show_default=False)
    ] = None,
    ratio: Annotated[str | None, typer.Option("--ratio", help="Aspect ratio, 9:16 say.", show_default=False)] = None,
    tier: Annotated[str | None, typer.Option("--tier", help="Quality, 1080p say.", show_default=False)] = None,
    image: Annotated[
        list[str] | None,
        typer.Option("--image", "-i", help="Input image, file or URL; again for more.", show_default=False),
    ] = None,
    last_frame: Annotated[
        str | None, typer.Option("--last-frame", help="Image to end on, file or URL.", show_default=False)
    ] = None,
    video: Annotated[
        list[str] | None, typer.Option("--video", help="Input video, file or URL; again for more.", show_default=False)
    ] = None,
    audio_file: Annotated[
        list[str] | None,
        typer.Option("--audio-file", help="Reference sound, file or URL; again for more.", show_default=False),
    ] = None,
    audio: Annotated[
        bool | None, typer.Option("--audio/--no-audio", help="With or without sound.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same seed, the same picture.", show_default=False)
    ] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", help="t2v, i2v, i2v_first_last, r2v, edit, …", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=4, help="How many takes.")] = 1,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="name=value: an option of the model; again for more.", show_default=False),
    ] = None,
    meta: Annotated[
        list[str] | None,
        typer.Option("--meta", help="name=value: a tag of your own; again for more.", show_default=False),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what cannot be honoured, instead of a warning.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: ID.mp4 here.", show_default=False)
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the id and leave; needs a running server.")] = False,
    timeout: Timeout = None,
    force: Force = False,
    as_json: Json = False,
    url: Url = None,
    key: ApiKey = None,
    data_dir: DataDir = None,
) -> None:
    """Create a video, watch it being made, and save it.

    Prints the id on standard output; progress and notes go to standard error.
    """
    from reelway.cli.embedded import connect
    from reelway.cli.finishing import finish, print_result, targets_for
    from reelway.cli.forms import make_body
    from reelway.cli.output import emit
    from reelway.cli.progress import make_reporter
    from reelway.cli.saving import check_target

    if no_wait and not url:
        raise CommandFailed(
            "--no-wait needs a server that stays: set REELWAY_URL, or leave --no-wait out.", Exit.INVALID
        )
    if output is not None:
        for target in targets_for(output, count):
            check_target(target, overwrite=force)
    fields: dict[str, Any] = {
        "model": model,
        "prompt": prompt,
        "seconds": seconds,
        "size": size,
        "ratio": ratio,
        "resolution": tier,
        "generate_audio": audio,
        "seed": seed,
        "mode": mode,
        "n": count if count > 1 else None,
        "parameters": _pairs("--option", option, typed=True),
        "metadata": _pairs("--meta", meta, typed=False),
    }
    # With a frame to end on, a single image can only be the one to begin with.
    first = "first_frame" if last_frame and image and len(image) == 1 else "images"
    given = {first: image or [], "last_frame": [last_frame] if last_frame else []}
    given |= {"videos": video or [], "audio_urls": audio_file or []}
    fields = {name: value for name, value in fields.items() if value is not None}
    files = _sort_inputs(given, fields)
    with connect(url, key, data_dir, quiet=as_json) as client, make_reporter(quiet=as_json) as reporter:
        made = client.create(make_body(fields, files), idempotency_key=f"cli-{secrets.token_hex(16)}", strict=strict)
        if no_wait:
            emit(made) if as_json else typer.echo(made["id"])
            return
        reporter.video(made)
        result, saved = finish(
            client, made["id"], output or Path(f"{made['id']}.mp4"), reporter, timeout_seconds=timeout
        )
    print_result(result, saved, as_json=as_json)


def _sort_inputs(given: dict[str, list[str]], fields: dict[str, Any]) -> list[Any]:
    """Put URLs among the fields and return the files."""
    from reelway.cli.forms import FormFile

    files = []
    for field, values in given.items():
        urls = [value for value in values if value.startswith(("http://", "https://", "data:"))]
        if urls:
            fields[field] = urls[0] if field in {"first_frame", "last_frame"} else urls
        for value in values:
            if value in urls:
                continue
            path = Path(value).expanduser()
            if not path.is_file():
                raise CommandFailed(f"{value}: there is no such file; check the path.", Exit.INVALID, param=field)
            files.append(FormFile(field, path))
    return files


def _pairs(name: str, given: list[str] | None, *, typed: bool) -> dict[str, Any] | None:
    """Read `name=value` pairs; with `typed`, numbers, booleans and JSON are taken as such."""
    if not given:
        return None
    pairs: dict[str, Any] = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise CommandFailed(f"{name} {text!r}: write it as name=value.", Exit.INVALID)
        pairs[key] = _typed(value) if typed else value
    return pairs


def _typed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
