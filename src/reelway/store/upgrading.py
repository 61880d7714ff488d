"""Brings an older file to today's shape with Alembic. Imports SQLAlchemy, so it is itself imported only when needed.

The one rule: all missing steps are one transaction. A process killed halfway leaves the file as it was.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from reelway.core.errors import StorageFailed
from reelway.store.failures import explained

__all__ = ["alembic_config", "downgrade_to", "upgrade_to_head"]


def alembic_config(connection: sa.Connection | None = None, *, written: Any = None) -> Config:
    """Return Alembic's settings without an ini file, for the packaged migrations.

    The steps run on the connection, or without one are written down for PostgreSQL.
    """
    config = Config(attributes={"connection": connection}, output_buffer=written)
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def upgrade_to_head(path: Path, *, busy_seconds: float) -> None:
    """Run the missing steps. A second process doing the same waits, then finds nothing left to do."""
    _migrate(path, lambda config: command.upgrade(config, "head"), busy_seconds)


def downgrade_to(path: Path, revision: str, *, busy_seconds: float) -> None:
    """Take back the steps after a revision."""
    _migrate(path, lambda config: command.downgrade(config, revision), busy_seconds)


def _migrate(path: Path, run: Callable[[Config], None], busy_seconds: float) -> None:
    engine = sa.create_engine("sqlite://", creator=lambda: _connect(path, busy_seconds), poolclass=sa.NullPool)
    sa.event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            run(alembic_config(connection))
    except sa.exc.DBAPIError as error:
        raise explained(error.orig if isinstance(error.orig, Exception) else error, path) from error
    except CommandError as error:
        raise StorageFailed(f"{path}: the migration failed ({error}); the file is as it was") from error
    finally:
        engine.dispose()


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open without implicit transactions, and without foreign keys: a step may make a table anew and rename it."""
    return sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)


def _begin(connection: sa.Connection) -> None:
    """Take the write lock before the revision is read; the driver itself would begin after the first statements."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
