"""That every setting does something."""

import re
from pathlib import Path

import reelway
from reelway.settings import Settings

SOURCES = Path(reelway.__file__).parent


def test_every_setting_is_read_somewhere() -> None:
    """A setting that nobody reads would be documented, accepted, and without effect."""
    texts = [(SOURCES / "settings" / "settings.py").read_text()]
    texts += [path.read_text() for path in [*_modules("cli"), *_modules("bootstrap"), SOURCES / "settings" / "load.py"]]
    read = set(re.findall(r"(?:settings|given|self)\.([a-z_0-9]+)", "\n".join(texts)))

    assert set(Settings.model_fields) - read == set()


def _modules(room: str) -> list[Path]:
    return sorted((SOURCES / room).glob("*.py"))
