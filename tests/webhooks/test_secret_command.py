"""`reelway keys webhook-secret`: what receivers verify with."""

import json
from pathlib import Path

from typer.testing import CliRunner

from reelway.cli.keys import app


def _say(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["webhook-secret", "--data-dir", str(folder), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_secret_is_printed_alone_and_stays_the_same(tmp_path: Path) -> None:
    """So that a shell can put it into a variable."""
    secret = _say(tmp_path).strip()
    assert secret.startswith("whsec_")
    assert _say(tmp_path).strip() == secret
    assert json.loads(_say(tmp_path, "--json")) == {"tenant": "default", "secret": secret}


def test_another_tenant_has_another_secret(tmp_path: Path) -> None:
    """And sees only its own."""
    assert _say(tmp_path, "--tenant", "acme") != _say(tmp_path)
