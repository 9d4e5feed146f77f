"""What an operator may choose: the only place that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from dubito.backend.cpu_count import usable_cores
from dubito.backend.errors import SettingsError
from dubito.backend.variables import ALIASES, SERVICE_LINK, hint, read_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.variables import Variable

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_LABEL_STUDIO = "http://localhost:8080"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 9090
MOST = 256
FEWEST_WORKERS = 2
"""One writes the first row of each task, for minutes, while another runs rounds."""

OPTIONS = frozenset({"host", "port", "data_dir", "workers"})
"""What options of the command line may set."""


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
    sources : by setting, the variable or option that gave its value
    """

    label_studio_url: str = DEFAULT_LABEL_STUDIO
    label_studio_public_url: str = ""
    label_studio_key: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    data_dir: Path = Path(".dubito")
    basic_auth_user: str = ""
    basic_auth_pass: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    log_level: str = "INFO"
    workers: int = field(default_factory=usual_workers)
    threads: int = 16
    file_hosts: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; raise `SettingsError` if one is unusable."""
        variables = read_variables(environ)
        text = {setting: variable.text for setting, variable in variables.items()}
        settings = cls(
            label_studio_url=_url(variables["label_studio_url"])
            or DEFAULT_LABEL_STUDIO,
            label_studio_public_url=_url(variables["label_studio_public_url"]),
            label_studio_key=text["label_studio_key"],
            redis_url=_redis_url(variables["redis_url"]),
            host=_host(text["host"]) or DEFAULT_HOST,
            port=_number(variables, "port", DEFAULT_PORT, 65535),
            data_dir=_directory(
                variables["data_dir"].name, text["data_dir"] or ".dubito"
            ),
            basic_auth_user=text["basic_auth_user"],
            basic_auth_pass=text["basic_auth_pass"],
            webhook_secret=text["webhook_secret"],
            log_level=(text["log_level"] or "INFO").upper(),
            workers=_number(variables, "workers", usual_workers(), MOST),
            threads=_number(variables, "threads", 16, MOST),
            file_hosts=_hosts(text["file_hosts"]),
            sources={s: one.name for s, one in variables.items() if one.text},
        )
        return settings.checked()

    @classmethod
    def from_process(cls) -> Self:
        """Read the settings of this very process."""
        return cls.from_environment(os.environ)

    def having(self, **options: object) -> Self:
        """Let options of the command line win over the environment."""
        names = {setting.name for setting in fields(self)}
        values = {k: v for k, v in options.items() if v is not None and k in names}
        option_names = {k: f"--{k.replace('_', '-')}" for k in OPTIONS & values.keys()}
        if "data_dir" in values:
            values["data_dir"] = _directory("--data-dir", str(values["data_dir"]))
        if "host" in values:
            values["host"] = _host(str(values["host"]))
        sources = {**self.sources, **option_names}
        return replace(self, **values, sources=sources).checked()  # type: ignore[arg-type]

    def checked(self) -> Self:
        """Refuse settings that contradict each other."""
        if self.log_level not in LOG_LEVELS:
            name = self.name_of("log_level")
            message = (
                f"{name} is {self.log_level!r}: use {', '.join(LOG_LEVELS)}"
                f"{hint('log_level', name)}"
            )
            raise SettingsError(message)
        if bool(self.basic_auth_user) != bool(self.basic_auth_pass):
            halves = ("basic_auth_user", "basic_auth_pass")
            half = halves[bool(self.basic_auth_pass)]
            message = (
                "set both BASIC_AUTH_USER and BASIC_AUTH_PASS, or neither: only"
                f" {self.name_of(half)} is set"
            )
            raise SettingsError(message)
        return self

    def name_of(self, setting: str) -> str:
        """Return the variable or option that gave a setting, or that can give it."""
        return self.sources.get(setting, ALIASES[setting][0])

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
        unset = {name: "" for names in ALIASES.values() for name in names}
        values = {names[0]: getattr(self, name) for name, names in ALIASES.items()}
        values[ALIASES["file_hosts"][0]] = ",".join(self.file_hosts)
        return unset | {name: str(value) for name, value in values.items()}


def compute_in_one_thread() -> None:
    """Let this process and its children compute in one thread each.

    Workers share the cores between them, and sums depend on the number of threads.
    It counts for what is imported afterwards.
    """
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def _number(
    variables: Mapping[str, Variable], setting: str, default: int, highest: int
) -> int:
    name, text = variables[setting].name, variables[setting].text
    if not text:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    if not (is_number and 1 <= int(text) <= highest):
        is_link = SERVICE_LINK.match(text) is not None
        what = ", where another service listens" if is_link else ""
        message = (
            f"{name} is {text!r}{what}: use a whole number from 1 to {highest}"
            f"{hint(setting, name)}"
        )
        raise SettingsError(message)
    return int(text)


def _host(text: str) -> str:
    """Return an address to listen on; of IPv6 without the brackets it has in URLs."""
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def _directory(name: str, text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        message = f"{name} is {text!r}: {error}"
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


def _url(variable: Variable) -> str:
    name, text = variable.name, variable.text
    if "@" in text:  # it may hold a password, and is shown in errors and `status`
        message = (
            f"{name} contains a user or a password: remove them, and set"
            " LABEL_STUDIO_API_KEY to a token of Label Studio"
        )
        raise SettingsError(message)
    if text:
        check_web_address(name, text, "http://localhost:8080")
    return text.rstrip("/")


def check_web_address(name: str, text: str, example: str) -> None:
    """Raise `SettingsError` with what is likely meant, else the example, if it is none.

    Parameters
    ----------
    name : of the variable or option that gives the address
    """
    if _is_web(text):
        return
    likely, what = f"http://{text}", f"is {text!r}"
    if "@" in text:  # it may hold a password
        what = "is not a web address"
    is_likely = _is_web(likely) and "//" not in text and "@" not in text
    sample = likely if is_likely else example
    message = f"{name} {what}: use an address such as {sample}"
    raise SettingsError(message)


def _is_web(text: str) -> bool:
    return _scheme(text) in {"http", "https"} and bool(urlsplit(text).hostname)


def _redis_url(variable: Variable) -> str:
    """Return the address of a store; no error repeats it: it may hold a password."""
    if variable.text and _scheme(variable.text) not in {"redis", "rediss", "unix"}:
        message = (
            f"{variable.name} is not a valid address: use one such as"
            f" redis://localhost:6379/0{hint('redis_url', variable.name)}"
        )
        raise SettingsError(message)
    return variable.text
