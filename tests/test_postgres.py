"""The server that other tests rely on: it is real, it comes back, and what it committed is there again."""

import pytest
from tests.postgres import PostgresServer, missing_postgres, start_postgres


def test_each_database_is_a_tests_own(postgres: PostgresServer, postgres_database: str) -> None:
    """Empty, and nobody else's."""
    assert (
        postgres.run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=postgres_database)
        == "0"
    )
    assert postgres.make_database() != postgres_database


@pytest.mark.skipif(missing_postgres() is not None, reason=str(missing_postgres()))
def test_what_was_committed_survives_a_kill() -> None:
    """The kill is one, and the restart a recovery."""
    server = start_postgres()
    try:
        server.run_sql("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('yes')")
        server.kill()
        assert not server.is_running
        server.start()
        assert server.run_sql("SELECT word FROM kept") == "yes"
        assert "not properly shut down" in server.log
        server.restart()
        assert server.run_sql("SELECT word FROM kept") == "yes"
    finally:
        server.remove()
    assert not server.folder.exists()
