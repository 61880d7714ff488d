"""What went wrong at PostgreSQL: whether it is a refusal, bad luck, or the connection, and what to tell an operator.

The one rule: every message says what happened, at which database, and what to do next; none of them holds a password.
"""

import asyncpg

from reelway.core.errors import Contradiction, ReelwayError, StorageFailed

__all__ = ["explained", "is_bad_luck", "is_lost", "is_passing", "is_refusal"]

_Postgres = asyncpg.PostgresError

_ENDED = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EOFError,
)
"""The session is over, or goes to a server that may not be written any more. (`TimeoutError` is ours: nothing was heard.)"""

_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (asyncpg.InvalidPasswordError, "it refuses this user or password: check REELWAY_DATABASE_URL and pg_hba.conf"),
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "it refuses this user: check REELWAY_DATABASE_URL and pg_hba.conf",
    ),
    (asyncpg.InvalidCatalogNameError, "there is no such database: make it with `createdb`"),
    (asyncpg.TooManyConnectionsError, "it takes no more connections: raise max_connections, or run fewer nodes"),
    (asyncpg.DiskFullError, "its disk is full: make room; nothing of what was being written is kept"),
    (asyncpg.InsufficientPrivilegeError, "this user may not do that: make it the owner of the database"),
    (asyncpg.UndefinedTableError, "a table is missing: run `reelway db upgrade`"),
    (asyncpg.UndefinedColumnError, "a column is missing: run `reelway db upgrade`"),
    (asyncpg.QueryCanceledError, "it took too long: look for locks and slow disks (pg_stat_activity)"),
    (asyncpg.ReadOnlySQLTransactionError, "it may only be read: connect to the primary, not to a standby"),
    (asyncpg.CannotConnectNowError, "it is starting or stopping: wait until it answers again"),
    (asyncpg.AdminShutdownError, "it ended the session: wait until it answers again"),
    (asyncpg.TargetServerAttributeNotMatched, "only a standby answers: start the primary, or connect to it"),
    (asyncpg.ClientConfigurationError, "check the options after the question mark in REELWAY_DATABASE_URL"),
    (TimeoutError, "it does not answer in time: check the network and whether it is overloaded"),
    (ConnectionError, "it cannot be reached: start it, or check host, port and network"),
    (OSError, "it cannot be reached: check host, port and network"),
)


def is_refusal(error: Exception) -> bool:
    """Tell whether only one write was refused (a broken constraint, say) and others may go on without it."""
    if isinstance(error, ReelwayError):
        return True
    if isinstance(error, _Postgres):
        return isinstance(error, asyncpg.IntegrityConstraintViolationError | asyncpg.DataError)
    return not isinstance(error, (*_ENDED, asyncpg.InterfaceError)) or _is_bad_value(error)


def is_bad_luck(error: Exception) -> bool:
    """Tell whether the same transaction may well succeed when it is run again: another node was in its way."""
    return isinstance(error, asyncpg.TransactionRollbackError | asyncpg.LockNotAvailableError)


def is_lost(error: Exception) -> bool:
    """Tell whether the connection is of no more use."""
    if _is_bad_value(error):
        return False
    return isinstance(error, (*_ENDED, asyncpg.InterfaceError))


def is_passing(error: Exception) -> bool:
    """Tell whether a server that cannot be connected to may be there again in a moment."""
    return is_lost(error) or isinstance(error, asyncpg.TooManyConnectionsError)


def explained(error: Exception, place: str) -> Exception:
    """Return what to raise for an error met at this database; errors of ours are returned as they are."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return Contradiction(
            f"{place}: what was to be written contradicts what is there ({error}); nothing of it was kept"
        )
    for kind, advice in _ADVICE:
        if isinstance(error, kind):
            return StorageFailed(f"{place}: {advice} ({_words(error)})")
    if isinstance(error, _Postgres | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return StorageFailed(f"{place}: the database refused: run `reelway db check` ({_words(error)})")
    return error


def _is_bad_value(error: Exception) -> bool:
    """Tell whether the driver itself refused a value (a number too large, say) before anything was sent."""
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
