"""Bringing a database to the schema of this version.

The revisions are Alembic's, below a package; neither it nor SQLAlchemy is imported while the
database is up to date, for they take half a second.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from .connection import Options, connect
from .errors import SchemaError, StoreError

TABLE = "alembic_version"


@dataclass(frozen=True, slots=True)
class Schema:
    """Where the revisions are (a folder with ``versions`` in it), and the newest of them."""

    folder: Path
    head: str


def upgrade(path: Path, schema: Schema, options: Options) -> bool:
    """Bring the file at `path` to `schema.head`; whether there was something to do.

    All of it happens or nothing. Blocks. Raises `SchemaError` for a database of a newer
    version, or of something else; `StoreError` if it fails.
    """
    database = connect(path, options)
    try:
        return revision(database) != schema.head and _run(database, schema)
    except sqlite3.Error as error:
        raise StoreError(f"cannot upgrade {path}: {error}") from error
    finally:
        database.close()  # and undo what is not committed


def revision(database: sqlite3.Connection) -> str | None:
    """The revision of `database`, `None` if it is empty; raises `SchemaError`."""
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    tables = {name for (name,) in found if not name.startswith("sqlite_")}
    if TABLE not in tables:
        if tables:
            raise SchemaError("the file is a database of another program")
        return None
    row: tuple[str] | None = database.execute(f"SELECT version_num FROM {TABLE}").fetchone()  # noqa: S608
    return row[0] if row else None


def _run(database: sqlite3.Connection, schema: Schema) -> bool:
    """Run the revisions that `database` lacks in one transaction, unless another process has."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import StaticPool

    config = Config()
    config.set_main_option("script_location", str(schema.folder).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    engine = create_engine("sqlite://", creator=lambda: database, poolclass=StaticPool)
    event.listen(engine, "begin", lambda link: link.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as link, EnvironmentContext(config, scripts) as environment:
            current = revision(database)
            if current == schema.head:
                return False
            known = {script.revision for script in scripts.walk_revisions()}
            if current is not None and current not in known:
                raise SchemaError(
                    f"the database is of a newer version: its schema is {current}, "
                    f"the newest known here is {schema.head}"
                )
            environment.configure(
                connection=link,
                fn=lambda past, _: scripts._upgrade_revs(schema.head, past),
                transactional_ddl=True,
            )
            environment.run_migrations()
    except DBAPIError as error:
        raise StoreError(f"the schema cannot be brought up to date: {error.orig}") from error
    return True
