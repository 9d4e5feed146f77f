"""What the demo must find again: how to get in, and where everything listens."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dubito.backend.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


class DemoAccess(BaseModel):
    """What a demo must find again the next time it is started."""

    model_config = ConfigDict(extra="ignore")

    password: str = Field(default_factory=lambda: secrets.token_urlsafe(9), repr=False)
    token: str = Field(default="", repr=False)
    project: int | None = None
    port: int | None = None
    label_studio_port: int | None = None

    @classmethod
    def load(cls, path: Path) -> DemoAccess:
        """Read what was kept; start anew if there is nothing."""
        if not path.exists():
            return cls()
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            message = (
                f"{path} cannot be read: remove {path.parent} to start from scratch"
            )
            raise SettingsError(message) from error

    def save(self, path: Path) -> None:
        """Keep it where nobody else can read it."""
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(self.model_dump_json(indent=2))
        fresh.replace(path)
