"""Load on loopback from `wrk`, pinned beside the server it measures: bounded in time, one pair of figures a run."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

__all__ = ["Figures", "LoadFailed", "form_script", "free_port", "json_script", "measure", "range_script"]

_COUNT = re.compile(r"(\d+) requests in ")
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_BOUNDARY = "reelwaybench"


class LoadFailed(Exception):
    """The load could not be made, or not all of its requests were answered well."""


class Figures(NamedTuple):
    """What one run showed. On a machine that others use too, the second figure is the steadier one."""

    per_second: float
    cpu_microseconds: float
    """Processor time of the server for one request, the kernel's work for it included."""


def measure(url: str, *, pid: int, key: str, seconds: int, connections: int, script: Path | None = None) -> Figures:
    """Load the server at `url`, which is process `pid`, from one process pinned to the last processor."""
    program = shutil.which("wrk")
    if program is None:
        raise LoadFailed("wrk is not installed; `make bench` installs it (Debian package wrk)")
    command = ["taskset", "-c", "1", program, "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["-H", f"Authorization: Bearer {key}"]
    if script is not None:
        command += ["-s", str(script)]
    before = _cpu_seconds(pid)
    done = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + 30, check=True)
    spent = _cpu_seconds(pid) - before
    errors = _ERRORS.search(done.stdout)
    if errors:
        raise LoadFailed(f"{errors[1]} requests to {url} were not answered with 2xx:\n{done.stdout}")
    rate, count = _RATE.search(done.stdout), _COUNT.search(done.stdout)
    if rate is None or count is None or count[1] == "0":
        raise LoadFailed(f"wrk said nothing about {url}:\n{done.stdout}{done.stderr}")
    return Figures(float(rate[1]), spent / int(count[1]) * 1e6)


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of its children (nginx works in one)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for member in (pid, *children):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
