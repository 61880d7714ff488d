"""Load on loopback from `wrk`, pinned beside the server it measures: bounded in time, one figure a run."""

import re
import shutil
import subprocess
from pathlib import Path

__all__ = ["LoadFailed", "form_script", "json_script", "range_script", "requests_per_second"]

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_BOUNDARY = "reelwaybench"


class LoadFailed(Exception):
    """The load could not be made, or not all of its requests were answered well."""


def requests_per_second(url: str, *, key: str, seconds: int, connections: int, script: Path | None = None) -> float:
    """Return what the server at `url` answered per second, from one process pinned to the last processor."""
    program = shutil.which("wrk")
    if program is None:
        raise LoadFailed("wrk is not installed; `make bench` installs it (Debian package wrk)")
    command = ["taskset", "-c", "1", program, "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["-H", f"Authorization: Bearer {key}"]
    if script is not None:
        command += ["-s", str(script)]
    done = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + 30, check=True)
    errors = _ERRORS.search(done.stdout)
    if errors:
        raise LoadFailed(f"{errors[1]} requests to {url} were not answered with 2xx:\n{done.stdout}")
    rate = _RATE.search(done.stdout)
    if rate is None:
        raise LoadFailed(f"wrk said nothing about {url}:\n{done.stdout}{done.stderr}")
    return float(rate[1])


def form_script(folder: Path, fields: dict[str, str]) -> Path:
    """Return a script that posts the fields as a multipart form."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join(parts) + f"--{_BOUNDARY}--\r\n"
    return _post(folder / "form.lua", f"multipart/form-data; boundary={_BOUNDARY}", body)


def json_script(folder: Path, body: str) -> Path:
    """Return a script that posts JSON."""
    return _post(folder / "json.lua", "application/json", body)


def range_script(folder: Path, file_bytes: int, piece_bytes: int) -> Path:
    """Return a script that asks for one piece after the other."""
    path = folder / "range.lua"
    path.write_text(
        f"""local at = 0
request = function()
  at = (at + {piece_bytes}) % {file_bytes - piece_bytes}
  wrk.headers["Range"] = "bytes=" .. at .. "-" .. (at + {piece_bytes} - 1)
  return wrk.format("GET")
end
"""
    )
    return path


def _post(path: Path, media_type: str, body: str) -> Path:
    escaped = body.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
    path.write_text(f'wrk.method = "POST"\nwrk.body = "{escaped}"\nwrk.headers["Content-Type"] = "{media_type}"\n')
    return path
