"""The steps that bring a database from one version to the next, run by alembic."""
