"""What an operator may choose: the only place that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from backend.cores import usable_cores
from backend.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_LABEL_STUDIO = "http://localhost:8080"
MOST = 256
FEWEST_WORKERS = 2
"""One writes the first row of each task, for minutes, while another runs rounds."""

ALIASES = {
    "label_studio_url": ("LABEL_STUDIO_URL", "LABEL_STUDIO_HOST"),
    "label_studio_public_url": ("LABEL_STUDIO_PUBLIC_URL",),
    "label_studio_key": ("LABEL_STUDIO_API_KEY", "LABEL_STUDIO_ACCESS_TOKEN"),
    "redis_url": ("REDIS_URL",),
    "host": ("HOST",),
    "port": ("PORT",),
    "data_dir": ("MODEL_DIR",),
    "basic_auth_user": ("BASIC_AUTH_USER",),
    "basic_auth_pass": ("BASIC_AUTH_PASS",),
    "webhook_secret": ("WEBHOOK_SECRET",),
    "log_level": ("LOG_LEVEL",),
    "workers": ("WORKERS",),
    "threads": ("THREADS",),
    "file_hosts": ("FILE_HOSTS",),
}


def usual_workers() -> int:
    """Return how many workers suit this machine: one for each core we may use.

    Each computes in one thread: there are no more threads at work than cores.
    """
    return min(max(FEWEST_WORKERS, usable_cores()), MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may choose; read once, when a process starts.

    Attributes
    ----------
    label_studio_public_url : Label Studio's address in people's browsers, if another
    """

    label_studio_url: str = DEFAULT_LABEL_STUDIO
    label_studio_public_url: str = ""
    label_studio_key: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 9090
    data_dir: Path = Path(".dubito")
    basic_auth_user: str = ""
    basic_auth_pass: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    log_level: str = "INFO"
    workers: int = field(default_factory=usual_workers)
    threads: int = 8
    file_hosts: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; raise `SettingsError` if one is unusable."""
        raw = {
            name: next((environ[a].strip() for a in aliases if environ.get(a)), "")
            for name, aliases in ALIASES.items()
        }
        settings = cls(
            label_studio_url=_url(
                "LABEL_STUDIO_URL", raw["label_studio_url"] or DEFAULT_LABEL_STUDIO
            ),
            label_studio_public_url=_url(
                "LABEL_STUDIO_PUBLIC_URL", raw["label_studio_public_url"]
            ),
            label_studio_key=raw["label_studio_key"],
            redis_url=_redis_url(raw["redis_url"]),
            host=raw["host"] or "127.0.0.1",
            port=_number("PORT", raw["port"], 9090, 65535),
            data_dir=_directory(raw["data_dir"] or ".dubito"),
            basic_auth_user=raw["basic_auth_user"],
            basic_auth_pass=raw["basic_auth_pass"],
            webhook_secret=raw["webhook_secret"],
            log_level=(raw["log_level"] or "INFO").upper(),
            workers=_number("WORKERS", raw["workers"], usual_workers(), MOST),
            threads=_number("THREADS", raw["threads"], 8, MOST),
            file_hosts=_hosts(raw["file_hosts"]),
        )
        return settings.checked()

    @classmethod
    def from_process(cls) -> Self:
        """Read the settings of this very process."""
        return cls.from_environment(os.environ)

    def having(self, **chosen: object) -> Self:
        """Let options of the command line win over the environment."""
        known = {setting.name for setting in fields(self)}
        given = {k: v for k, v in chosen.items() if v is not None and k in known}
        return replace(self, **given).checked()  # type: ignore[arg-type]

    def checked(self) -> Self:
        """Refuse settings that contradict each other."""
        if self.log_level not in LOG_LEVELS:
            message = f"LOG_LEVEL is {self.log_level!r}: use {', '.join(LOG_LEVELS)}"
            raise SettingsError(message)
        if bool(self.basic_auth_user) != bool(self.basic_auth_pass):
            message = "set both BASIC_AUTH_USER and BASIC_AUTH_PASS, or neither"
            raise SettingsError(message)
        return self

    @property
    def label_studio_for_people(self) -> str:
        """Return Label Studio's address as people's browsers know it."""
        return self.label_studio_public_url or self.label_studio_url

    @property
    def guarded(self) -> bool:
        """Whether callers must show credentials."""
        return bool(self.basic_auth_user)

    def environment(self) -> dict[str, str]:
        """Return what a child process needs to read the same settings.

        What is not set is empty, so that nothing else in its environment counts.
        """
        values = {aliases[0]: getattr(self, name) for name, aliases in ALIASES.items()}
        values["FILE_HOSTS"] = ",".join(self.file_hosts)
        return {name: str(value) for name, value in values.items()}


def compute_in_one_thread() -> None:
    """Let this process and its children compute in one thread each.

    Workers share the cores between them, and sums depend on the number of threads.
    It counts for what is imported afterwards.
    """
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def check_exposure(settings: Settings, *, is_open: bool) -> None:
    """Refuse to serve a network without credentials, unless told to."""
    if settings.host in LOOPBACK or settings.guarded or is_open:
        return
    message = (
        f"anyone who reaches {settings.host} could use Dubito: set BASIC_AUTH_USER"
        " and BASIC_AUTH_PASS, listen on 127.0.0.1, or say --open"
    )
    raise SettingsError(message)


def _number(name: str, text: str, default: int, highest: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= highest):
        message = f"{name} is {text!r}: use a whole number from 1 to {highest}"
        raise SettingsError(message)
    return int(text)


def _directory(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        message = f"MODEL_DIR is {text!r}: {error}"
        raise SettingsError(message) from error


def _hosts(text: str) -> tuple[str, ...]:
    hosts = (host.strip() for host in text.lower().split(","))
    return tuple(host for host in hosts if host)


def _scheme(text: str) -> str:
    """Return the scheme of an address; nothing for what is none."""
    try:
        parts = urlsplit(text)
        is_usable = parts.port != 0 and not any(map(str.isspace, text))
    except ValueError:  # half of an IPv6 address, a port that is no number
        return ""
    return parts.scheme if is_usable else ""


def _url(name: str, text: str) -> str:
    if "@" in text:  # it may hold a password, and is shown in errors and `status`
        message = (
            f"{name} holds a user or a password: leave them out, and set"
            " LABEL_STUDIO_API_KEY to a token of Label Studio"
        )
        raise SettingsError(message)
    is_web = _scheme(text) in {"http", "https"} and urlsplit(text).hostname
    if text and not is_web:
        message = f"{name} is {text!r}: use an address such as http://localhost:8080"
        raise SettingsError(message)
    return text.rstrip("/")


def _redis_url(text: str) -> str:
    if text and _scheme(text) not in {"redis", "rediss", "unix"}:
        message = (
            "REDIS_URL cannot be read: use an address such as redis://localhost:6379/0"
        )
        raise SettingsError(message)
    return text
