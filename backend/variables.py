"""The variables of the environment that hold the settings, and which one was read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "DUBITO_"


def _own(name: str) -> tuple[str, str]:
    """Return a name that no other program reads, and the short one."""
    return f"{PREFIX}{name}", name


ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "label_studio_url": ("LABEL_STUDIO_URL", "LABEL_STUDIO_HOST"),
        "label_studio_public_url": ("LABEL_STUDIO_PUBLIC_URL",),
        "label_studio_key": ("LABEL_STUDIO_API_KEY", "LABEL_STUDIO_ACCESS_TOKEN"),
        "redis_url": _own("REDIS_URL"),
        "host": _own("HOST"),
        "port": _own("PORT"),
        "data_dir": _own("MODEL_DIR"),
        "basic_auth_user": _own("BASIC_AUTH_USER"),
        "basic_auth_pass": _own("BASIC_AUTH_PASS"),
        "webhook_secret": _own("WEBHOOK_SECRET"),
        "log_level": _own("LOG_LEVEL"),
        "workers": _own("WORKERS"),
        "threads": _own("THREADS"),
        "file_hosts": _own("FILE_HOSTS"),
    }
)
"""Of each setting the variables that may hold it; the first that is set counts.

Other programs have a use for short names, too: conda sets HOST.
"""

SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://", re.IGNORECASE)
"""How Kubernetes and Docker write where a service listens: tcp://10.0.0.1:9090."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting as the environment gives it.

    Attributes
    ----------
    name : the variable that was read; the first one that may hold it if none is set
    text : its value; empty if none is set
    """

    name: str
    text: str


def read_variables(environ: Mapping[str, str]) -> dict[str, Variable]:
    """Return each setting as the environment gives it."""
    return {setting: _read(setting, environ) for setting in ALIASES}


def _read(setting: str, environ: Mapping[str, str]) -> Variable:
    names = ALIASES[setting]
    for name in names:
        text = environ.get(name, "")
        if text.strip() and not _is_of_kubernetes(name, text):
            # A directory's name may begin or end with a blank.
            return Variable(name, text if setting == "data_dir" else text.strip())
    return Variable(names[0], "")


def _is_of_kubernetes(name: str, text: str) -> bool:
    """Return whether Kubernetes has set a variable, for a service named `dubito`."""
    return name == "DUBITO_PORT" and SERVICE_LINK.match(text.strip()) is not None


def hint(setting: str, name: str) -> str:
    """Say how to set a value for Dubito alone, where other programs read the name."""
    own = ALIASES[setting][0]
    if name == own or name not in ALIASES[setting] or not own.startswith(PREFIX):
        return ""
    return f" (if {name} is meant for another program, set {own})"
