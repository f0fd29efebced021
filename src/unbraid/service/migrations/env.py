"""What alembic runs: migrates the connection that it is given."""

from alembic import context

from unbraid.service.db import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
