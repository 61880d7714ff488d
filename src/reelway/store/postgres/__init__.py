"""Records in PostgreSQL 15 or newer, which any number of nodes share: the second implementation of `store.spec`."""

from reelway.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
