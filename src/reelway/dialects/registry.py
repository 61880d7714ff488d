"""Every dialect there is, found by looking: a module of this package that has a `make_dialect` is one. No list is edited."""

import importlib
import pkgutil
from functools import cache

from reelway import dialects as _package
from reelway.dialects.spec import Dialect
from reelway.dialects.video_object import Timestamps

__all__ = ["make_dialects"]


@cache
def make_dialects(*, timestamps: Timestamps = "s") -> tuple[Dialect, ...]:
    """Return the dialects by name. Each module's `make_dialect(*, timestamps)` may ignore how times are shown."""
    found = []
    for entry in pkgutil.iter_modules(_package.__path__):
        module = importlib.import_module(f"{_package.__name__}.{entry.name}")
        if hasattr(module, "make_dialect"):
            found.append(module.make_dialect(timestamps=timestamps))
    return tuple(sorted(found, key=lambda dialect: str(dialect.name)))
