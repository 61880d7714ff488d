"""The base of every value in Reelway: frozen, keyword-only, comparable, and encodable as JSON without help.

`msgspec.Struct` rather than `dataclass`, because a job is decoded on every adoption and encoded on every transition,
and because closed unions then carry their own tag.
"""

from typing import Any, Self, dataclass_transform

import msgspec

__all__ = ["Record"]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _RecordMeta(msgspec.StructMeta):
    """Makes every subclass frozen and keyword-only; `msgspec` itself does not pass `kw_only` on.

    What is never changed never forms a circle, so the garbage collector need not walk through the records of all the jobs
    a node holds: reference counts free them.
    """

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        options.setdefault("frozen", True)
        options.setdefault("kw_only", True)
        options.setdefault("omit_defaults", True)
        options.setdefault("gc", False)
        return super().__new__(mcls, name, bases, namespace, **options)


class Record(msgspec.Struct, metaclass=_RecordMeta):
    """A value: never changed, only evolved into another one."""

    def evolve(self, **changes: Any) -> Self:
        """Return a copy in which the named fields have other values."""
        return msgspec.structs.replace(self, **changes)
