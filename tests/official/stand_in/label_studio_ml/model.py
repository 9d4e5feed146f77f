"""The base class of models, and the cache they keep things in."""

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Lock

logger = logging.getLogger(__name__)
TABLE = (
    "CREATE TABLE IF NOT EXISTS cache (project_id TEXT NOT NULL, key TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (project_id, key))"
)


class Cache:
    """Texts in a SQLite file."""

    def __init__(self, path: str) -> None:
        self._file = Path(path) / "cache.db"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._run(TABLE)

    def read(self, project_id: str, key: str) -> str | None:
        row = self._run(
            "SELECT value FROM cache WHERE project_id = ? AND key = ?", project_id, key
        )
        return row[0][0] if row else None

    def write(self, project_id: str, key: str, value: str) -> None:
        if not isinstance(value, str):
            message = "Value must be a string"
            raise ValueError(message)  # noqa: TRY004 - as the real one does
        self._run("REPLACE INTO cache VALUES (?, ?, ?)", project_id, key, value)

    def _run(self, statement: str, *values: str) -> list[tuple[str]]:
        with self._lock, closing(sqlite3.connect(self._file)) as connection, connection:
            return connection.execute(statement, values).fetchall()


CACHE = Cache(os.environ.get("MODEL_DIR", "."))


class LabelStudioMLBase:
    """One of these is made for each request."""

    INITIAL_MODEL_VERSION = "0.0.1"

    def __init__(
        self, project_id: str | None = None, label_config: str | None = None
    ) -> None:
        self.project_id = project_id or ""
        if label_config is None:
            logger.warning("Label config is not provided")
        elif self.get("label_config") != label_config:
            self.set("label_config", label_config)
        if not self.get("model_version"):
            self.set("model_version", self.INITIAL_MODEL_VERSION)
        self.setup()

    def setup(self) -> None:
        """Do what a model needs done first."""

    def set_extra_params(self, extra_params: str) -> None:
        self.set("extra_params", extra_params)

    def get(self, key: str) -> str | None:
        return CACHE.read(self.project_id, key)

    def set(self, key: str, value: str) -> None:
        CACHE.write(self.project_id, key, value)
