"""Every adapter there is, found by looking: a module of this package that has an `ADAPTER` is one. No list is edited."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from reelway import vendors as _package
from reelway.vendors.spec import Adapter

__all__ = ["adapters"]


@cache
def adapters() -> Mapping[str, Adapter]:
    """Return the adapters by the name of their vendor."""
    found: dict[str, Adapter] = {}
    for entry in pkgutil.iter_modules(_package.__path__):
        module = importlib.import_module(f"{_package.__name__}.{entry.name}")
        adapter: Adapter | None = getattr(module, "ADAPTER", None)
        if adapter is None:
            continue
        if adapter.vendor in found:
            raise RuntimeError(f"two adapters are called {adapter.vendor}; {module.__name__} is the second one")
        found[adapter.vendor] = adapter
    return MappingProxyType(dict(sorted(found.items())))
