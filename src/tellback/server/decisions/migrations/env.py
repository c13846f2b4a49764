"""Alembic's entry: runs the migrations on the connection that `database.py` hands over."""

from alembic import context

from tellback.server.decisions.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters little in place
)
with context.begin_transaction():
    context.run_migrations()
