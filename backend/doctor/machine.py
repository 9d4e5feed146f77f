"""The machine: settings, versions, disk, open files, and the web server on it."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

import httpx
from packaging.requirements import Requirement

from backend.doctor.findings import fault, warning, well
from backend.errors import SettingsError
from backend.probe import UnwellError, check_web
from backend.release import own_version
from backend.settings import check_exposure
from backend.supervisor import local_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backend.doctor.findings import Verdict
    from backend.doctor.patient import Patient
    from backend.settings import Settings

SHOWN_PACKAGES = ("numpy", "scikit-learn", "redis", "rq")
WEB_SECONDS = 3.0
LEAST_FREE = 100 * 2**20
LITTLE_FREE = 2**30
FEW_FILES = 512


def check_settings(patient: Patient) -> Verdict:
    """Look whether strangers could use Dubito with these settings."""
    settings = patient.settings
    try:
        check_exposure(settings, is_open=False)
    except SettingsError:
        return warning(
            f"HOST is {settings.host}, and no password is set",
            "whoever reaches it can read labels and /metrics, and change the order;"
            " it starts only with --open",
            "set BASIC_AUTH_USER and BASIC_AUTH_PASS, and connect the projects again",
            "set HOST=127.0.0.1",
        )
    guard = "with a password" if settings.guarded else "on loopback, without password"
    return well(f"{settings.host}:{settings.port}, {guard}")


def check_versions(_: Patient) -> Verdict:
    """Look whether the packages here are those that Dubito asks for."""
    unmet = list(_unmet())
    if unmet:
        return fault(
            f"packages that do not fit: {', '.join(unmet)}",
            "Dubito is tested with the versions it asks for; others may answer"
            " otherwise, or fail in the midst of a round",
            "install it anew: pip install -c constraints.txt dubito",
        )
    names = " ".join(f"{name} {version(name)}" for name in SHOWN_PACKAGES)
    return well(f"Dubito {own_version()}, Python {platform.python_version()}, {names}")


def _unmet() -> Iterator[str]:
    """Yield what Dubito requires and this Python does not have."""
    try:
        required = [Requirement(text) for text in requires("dubito") or ()]
    except PackageNotFoundError:  # run from a checkout that is not installed
        return
    for one in required:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(one.name)
        except PackageNotFoundError:
            yield f"{one} is missing"
            continue
        if not one.specifier.contains(found, prereleases=True):
            yield f"{one.name} {found} (asked for: {one.specifier})"


def check_disk(patient: Patient) -> Verdict:
    """Look whether the data directory can take more."""
    directory = patient.settings.data_dir
    place = _existing(directory)
    free = shutil.disk_usage(place).free
    room = f"{free / 2**30:.1f} GiB free in {directory}"
    if not os.access(place, os.W_OK | os.X_OK):
        return fault(
            f"{directory} cannot be written to",
            "the store and the files it keeps live there",
            f"give the user that runs Dubito the right to write to {place}",
            "set MODEL_DIR to another directory",
        )
    cures = ("free some space", "set MODEL_DIR to a directory on another disk")
    if free < LEAST_FREE:
        return fault(room, "the store can note no more labels once it is full", *cures)
    if free < LITTLE_FREE:
        return warning(room, "once it is full, the store notes no more labels", *cures)
    return well(room)


def _existing(directory: Path) -> Path:
    """Return the directory, or the nearest one above it that is there."""
    whole = (directory, *directory.parents)
    return next(place for place in whole if place.exists())


def check_open_files(_: Patient) -> Verdict:
    """Look how many connections a process started from here may hold."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= limit < FEW_FILES:
        return warning(
            f"a process may open {limit} files",
            "each connection is one: with many callers, some are turned away",
            "run `ulimit -n 4096` before `dubito serve`",
        )
    return well(f"up to {limit if limit >= 0 else 'any number'} a process")


def check_web_server(patient: Patient) -> Verdict:
    """Look at the web server on this machine: up, of our version, guarded as set."""
    settings = patient.settings
    address = local_url(settings)
    try:
        line = check_web(settings)
    except UnwellError as error:
        return _unwell(str(error), settings)
    http = patient.client.http  # shows no key by itself
    running = _running_version(http, settings, address)
    if running not in {"", own_version()}:
        return warning(
            f"the one at {address} is version {running}, this is {own_version()}",
            "two versions may not understand each other's state",
            "stop it, and start it again: `dubito serve`",
        )
    if settings.guarded and _answers_strangers(http, address):
        return warning(
            f"the one at {address} asks for no password",
            "it was started without BASIC_AUTH_USER and BASIC_AUTH_PASS, which are"
            " set here: whoever reaches it may read and change everything",
            "start it again with both set: `dubito serve`",
        )
    return well(f"{address}: {line}")


def _unwell(said: str, settings: Settings) -> Verdict:
    """Say what to do about a web server that is not there, or says it is down."""
    why = "Label Studio's events come to it, and so do its questions"
    if not said.startswith("no answer"):
        cure = "cure what is said of the store; else see the log of `dubito serve`"
        return fault(said, why, cure)
    if settings.redis_url:
        return warning(
            said,
            f"{why}; it may well run on another machine",
            "if it should run here: `dubito web`",
        )
    return fault(said, why, "start it: `dubito serve`", "set PORT to the port it has")


def _running_version(http: httpx.Client, settings: Settings, address: str) -> str:
    """Return the version that a web server says it has; nothing if it does not."""
    shown = (settings.basic_auth_user, settings.basic_auth_pass)
    try:
        answer = http.get(f"{address}/openapi.json", auth=shown, timeout=WEB_SECONDS)
        return str(answer.raise_for_status().json()["info"]["version"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return ""


def _answers_strangers(http: httpx.Client, address: str) -> bool:
    """Return whether a web server shows its metrics to anybody."""
    try:
        return http.get(f"{address}/metrics", timeout=WEB_SECONDS).is_success
    except httpx.HTTPError:
        return False
