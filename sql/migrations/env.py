"""Alembic's entry: runs the migrations on the connection that it is handed.

`yishu.ledger.migrate` opens that connection, so that tables and views change in one transaction.
"""

from alembic import context

from yishu.ledger.models import SCHEMA, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
)
context.run_migrations()
