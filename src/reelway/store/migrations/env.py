"""What Alembic runs: the missing steps, on the connection and inside the transaction it is handed. It opens nothing itself."""

from alembic import context

from reelway.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
