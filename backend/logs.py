"""What is logged: a line a record, for people or for machines, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from base64 import b64encode
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from textwrap import indent
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dubito.backend.settings import Settings

HIDDEN = "…"
SHORTEST_SECRET = 4
"""What is shorter stands by chance in many words, and hides nothing anyway."""

SHAPES = re.compile(
    r"""
    eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?                  # a JSON web token
    | (?<=://)[^\s/@]*:[^\s@]*(?=@)                 # user and password of an address
    | (?<=\bBasic\ )[\w+/=-]+ | (?<=\bBearer\ )[\w.+/=-]+ | (?<=\bToken\ )[\w.-]{16,}
    """,
    re.VERBOSE,
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""A caller's words may not make a second line, nor steer a terminal."""

PROJECT: ContextVar[str] = ContextVar("project")


def set_up_logs(settings: Settings) -> None:
    """Log to standard error: readable lines on a terminal, JSON lines elsewhere."""
    handler = logging.StreamHandler()
    readable = sys.stderr.isatty()
    formatter = ReadableLines if readable else JsonLines
    handler.setFormatter(formatter(secrets_of(settings)))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a log that cannot be written stops nothing
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.INFO)


@contextmanager
def about(project: str) -> Iterator[None]:
    """Let all that is logged within the block name the project."""
    token = PROJECT.set(project)
    try:
        yield
    finally:
        PROJECT.reset(token)


def secrets_of(settings: Settings) -> list[str]:
    """Return all that must never be read in a log."""
    addresses = (settings.redis_url, settings.label_studio_url)
    parts = [urlsplit(address) for address in addresses]
    passwords = [part.password or "" for part in parts]
    return [
        settings.label_studio_key,
        settings.basic_auth_pass,
        settings.webhook_secret,
        b64encode(f"{settings.basic_auth_user}:{settings.basic_auth_pass}".encode())
        .decode()
        .rstrip("="),
        *passwords,
        *map(unquote, passwords),
    ]


class Redactor:
    """Hides secrets in a text, however they are written in it.

    This is the second line of defence: nothing should log them in the first place.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        pattern = "|".join(map(re.escape, longest_first))
        self._secrets = re.compile(pattern) if pattern else None

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        rest = text if self._secrets is None else self._secrets.sub(HIDDEN, text)
        return SHAPES.sub(HIDDEN, rest)


class _Lines(logging.Formatter):
    """Formats records after hiding the secrets in them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._hide = Redactor(secrets)

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        """Return what a record says, by name, without secrets."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "message": plain(self._hide(record.getMessage())),
            "process": record.process,
        }
        if project := PROJECT.get(""):
            fields["project"] = project
        if round_number := getattr(record, "round", None):
            fields["round"] = round_number
        if record.exc_info:
            fields["exception"] = self._trace(self.formatException(record.exc_info))
        return fields

    def _trace(self, trace: str) -> str:
        """Return a trace without secrets, each of its lines a harmless one."""
        lines = self._hide(trace).split("\n")
        return "\n".join(map(plain, lines))


class JsonLines(_Lines):
    """One JSON object a line, for whatever collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line."""
        return orjson.dumps(self._fields(record)).decode()


class ReadableLines(_Lines):
    """One line a record for people, and the trace below it if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line."""
        fields = self._fields(record)
        project, message = str(fields.get("project", "")), str(fields["message"])
        where = "" if project in message else f"project {project}: "
        line = f"{fields['time']} {fields['level']} {where}{message}"
        # An error's text may have lines of its own: set in, none looks like ours.
        trace = indent(str(fields["exception"]), "  ") if "exception" in fields else ""
        return f"{line}\n{trace}" if trace else line


def plain(text: str) -> str:
    """Return a text with its control characters written out: terminals obey them."""
    return CONTROL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return repr(match.group())[1:-1]


def _forms(secret: str) -> set[str]:
    """Return the ways in which a secret may be written in a message."""
    if len(secret) < SHORTEST_SECRET:
        return set()
    spellings = (repr(secret)[1:-1], orjson.dumps(secret).decode()[1:-1])
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        *spellings,
    }
