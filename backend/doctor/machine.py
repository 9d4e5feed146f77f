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

from dubito.backend.doctor.findings import fault, warning, well
from dubito.backend.errors import SettingsError
from dubito.backend.healthcheck import UnwellError, check_web
from dubito.backend.listening import (
    check_exposure,
    check_host,
    host_as_given,
    local_url,
)
from dubito.backend.state.embedded import shown
from dubito.backend.version import own_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dubito.backend.doctor.context import DiagnosticContext
    from dubito.backend.doctor.findings import Verdict
    from dubito.backend.settings import Settings

SHOWN_PACKAGES = ("numpy", "scikit-learn", "redis", "rq")
WEB_SECONDS = 3.0
LEAST_FREE = 100 * 2**20
LITTLE_FREE = 2**30
FEW_FILES = 512


def check_settings(patient: DiagnosticContext) -> Verdict:
    """Look whether strangers could use Dubito with these settings."""
    settings = patient.settings
    try:
        check_host(settings)
    except SettingsError as error:
        what, _, cure = str(error).rpartition(": ")
        return fault(what, "`dubito serve` does not start with these settings", cure)
    try:
        check_exposure(settings, is_open=False)
    except SettingsError:
        return warning(
            f"{host_as_given(settings)}, and no password is set",
            "anyone who reaches this address can read labels and /metrics and change"
            " the order; Dubito starts only with --open",
            "set BASIC_AUTH_USER and BASIC_AUTH_PASS, and connect the projects again",
            "set DUBITO_HOST=127.0.0.1",
        )
    guard = "with a password" if settings.guarded else "on loopback, without a password"
    return well(f"{settings.host}:{settings.port}, {guard}")


def check_versions(_: DiagnosticContext) -> Verdict:
    """Look whether the packages here are those that Dubito asks for."""
    unmet = list(_unmet())
    if unmet:
        return fault(
            f"packages with unsupported versions: {', '.join(unmet)}",
            "Dubito is tested with the required versions; other versions may give"
            " other results, or fail during a round",
            "reinstall Dubito: pip install -c constraints.txt dubito",
        )
    names = " ".join(f"{name} {version(name)}" for name in SHOWN_PACKAGES)
    return well(f"Dubito {own_version()}, Python {platform.python_version()}, {names}")


def _unmet() -> Iterator[str]:
    """Yield what Dubito requires and this Python does not have."""
    try:
        requirements = [Requirement(text) for text in requires("dubito") or ()]
    except PackageNotFoundError:  # run from a checkout that is not installed
        return
    for one in requirements:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            release = version(one.name)
        except PackageNotFoundError:
            yield f"{one} is missing"
            continue
        if not one.specifier.contains(release, prereleases=True):
            yield f"{one.name} {release} (required: {one.specifier})"


def check_disk(patient: DiagnosticContext) -> Verdict:
    """Look whether the data directory can take more."""
    place = _existing(patient.settings.data_dir)
    directory, free = shown(patient.settings.data_dir), shutil.disk_usage(place).free
    room = f"{free / 2**30:.1f} GiB free in {directory}"
    if not os.access(place, os.W_OK | os.X_OK):
        return fault(
            f"Dubito cannot write to {directory}",
            "this directory contains the store and Dubito's files",
            f"give the user that runs Dubito write permission for {shown(place)}",
            "set MODEL_DIR to another directory",
        )
    cures = ("free some space", "set MODEL_DIR to a directory on another disk")
    if free < LEAST_FREE:
        return fault(
            room, "when the disk is full, the store cannot save labels", *cures
        )
    if free < LITTLE_FREE:
        return warning(
            room, "when the disk is full, the store cannot save labels", *cures
        )
    return well(room)


def _existing(directory: Path) -> Path:
    """Return the directory, or the nearest one above it that is there."""
    whole = (directory, *directory.parents)
    return next(place for place in whole if place.exists())


def check_open_files(_: DiagnosticContext) -> Verdict:
    """Look how many connections a process started from here may hold."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= limit < FEW_FILES:
        return warning(
            f"a process may open {limit} files",
            "each connection counts as a file: with many callers, Dubito rejects some",
            "run `ulimit -n 4096` before `dubito serve`",
        )
    return well(f"up to {limit if limit >= 0 else 'any number'} a process")


def check_web_server(patient: DiagnosticContext) -> Verdict:
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
            f"the web server at {address} has version {running}, this command has"
            f" {own_version()}",
            "two versions may not read each other's state",
            "restart it: `dubito serve`",
        )
    if settings.guarded and _answers_strangers(http, address):
        return warning(
            f"the web server at {address} requires no password",
            "it was started without the BASIC_AUTH_USER and BASIC_AUTH_PASS that are"
            " set here: anyone who reaches it can read and change everything",
            "restart it with both set: `dubito serve`",
        )
    return well(f"{address}: {line}")


def _unwell(what: str, settings: Settings) -> Verdict:
    """Say what to do about a web server that is not there, or says it is down."""
    why = "Label Studio sends events and requests predictions there"
    if not what.startswith("no answer"):
        cure = (
            "fix the problem of the store, if one is reported; otherwise read the log"
            " of `dubito serve`"
        )
        return fault(what, why, cure)
    if settings.redis_url:
        return warning(
            what,
            f"{why}; it may run on another machine",
            "to run it on this machine: `dubito web`",
        )
    port = "set DUBITO_PORT to the port of the web server"
    return fault(what, why, "start it: `dubito serve`", port)


def _running_version(http: httpx.Client, settings: Settings, address: str) -> str:
    """Return the version that a web server says it has; nothing if it does not."""
    credentials = (settings.basic_auth_user, settings.basic_auth_pass)
    try:
        answer = http.get(
            f"{address}/openapi.json", auth=credentials, timeout=WEB_SECONDS
        )
        return str(answer.raise_for_status().json()["info"]["version"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return ""


def _answers_strangers(http: httpx.Client, address: str) -> bool:
    """Return whether a web server shows its metrics to anybody."""
    try:
        return http.get(f"{address}/metrics", timeout=WEB_SECONDS).is_success
    except httpx.HTTPError:
        return False
