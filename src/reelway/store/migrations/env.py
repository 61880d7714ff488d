"""What Alembic runs: the missing steps, on the connection and inside the transaction it is handed. It opens nothing itself.

Without a connection the steps are written down, as PostgreSQL takes them.
"""

from alembic import context

from reelway.store.schema import METADATA

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=METADATA, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    context.run_migrations()
