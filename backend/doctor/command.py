"""`dubito doctor`: examine, say what was found, and on request put it right."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from redis.exceptions import RedisError
from rich.console import Console

from dubito.backend.connect_command import connect_project
from dubito.backend.doctor.context import DiagnosticContext
from dubito.backend.doctor.findings import Severity
from dubito.backend.doctor.report import as_json, show, worst
from dubito.backend.doctor.runner import Examination
from dubito.backend.errors import BackendError, UnknownProjectError
from dubito.backend.logs import Redactor, secrets_of
from dubito.backend.services import open_services
from dubito.backend.state import keys
from dubito.backend.state.error_hints import error_hint, require_answer
from dubito.backend.version import own_version

if TYPE_CHECKING:
    from dubito.backend.doctor.findings import Finding
    from dubito.backend.services import Services
    from dubito.backend.settings import Settings

STORE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOptions:
    """What the command line asks for.

    Attributes
    ----------
    project : its number in Label Studio; all that are connected if None
    fix : connect the project again, if that cures something
    live : let Label Studio send an event
    """

    project: int | None = None
    fix: bool = False
    live: bool = False
    as_json: bool = False


def run(settings: Settings, wishes: DoctorOptions) -> bool:
    """Examine, and say what was found; return whether nothing stops the work."""
    if wishes.fix and wishes.project is None:
        message = "name the project to repair: --fix --project ID"
        raise click.UsageError(message)
    findings, hide = _examined(settings, wishes)
    fixable = [one.check for one in findings if one.verdict.mends]
    if wishes.fix and wishes.project is not None and fixable:
        _tell(f"repairing: {', '.join(fixable)}")
        _fix(settings, wishes.project, hide)
        findings, hide = _examined(settings, wishes)
    if wishes.as_json:
        click.echo(as_json(findings, own_version(), hide))
    else:
        show(findings, hide)
    return worst(findings) is not Severity.FAULT


def _examined(
    settings: Settings, wishes: DoctorOptions
) -> tuple[list[Finding], Redactor]:
    """Return what was found, and what hides the secrets in it."""
    with ExitStack() as stack:
        patient = _patient(settings, wishes, stack)
        status = stack.enter_context(Console(stderr=True).status("looking"))
        examination = Examination(
            patient=patient, say=lambda what: status.update(f"checking: {what}")
        )
        findings = list(examination.examine(_numbers(patient, wishes)))
        return findings, Redactor([*secrets_of(settings), *_kept_secrets(patient)])


def _patient(
    settings: Settings, wishes: DoctorOptions, stack: ExitStack
) -> DiagnosticContext:
    patient = DiagnosticContext(settings=settings, live=wishes.live)
    stack.callback(patient.close)
    try:
        services = stack.enter_context(open_services(settings, STORE_SECONDS))
        require_answer(services.redis)
    except BackendError as error:
        patient.store_fault = str(error)
    except RedisError as error:
        patient.store_fault = f"{error_hint(error)} ({error})"
    else:
        patient.services = services
    return patient


def _numbers(patient: DiagnosticContext, wishes: DoctorOptions) -> list[int]:
    if wishes.project is not None:
        return [wishes.project]
    if patient.services is None:
        return []
    projects = patient.services.projects
    try:
        return [projects.at(key).id for key in projects.known()]
    except RedisError:
        return []


def _kept_secrets(patient: DiagnosticContext) -> list[str]:
    """Return the secrets that only the store knows."""
    services = patient.services
    if services is None:
        return []
    try:
        secret: bytes = services.redis.get(keys.WEBHOOK_SECRET) or b""
        return [secret.decode(), *_tokens(services)]
    except RedisError:
        return []


def _tokens(services: Services) -> list[str]:
    projects = services.projects
    return [projects.at(key).facts().token for key in projects.known()]


def _fix(settings: Settings, number: int, hide: Redactor) -> None:
    """Connect the project again, which puts right all that is not as it must be."""
    try:
        with open_services(settings) as services:
            url = _backend_url(services, number)
            connect_project(services, number, url, lambda line: _tell(hide(line)))
    except (BackendError, RedisError) as error:
        _tell(hide(f"the repair failed: {error}"))


def _backend_url(services: Services, number: int) -> str | None:
    """Return the address by which a project knows us; None if it does not yet."""
    try:
        connection = services.projects.find(str(number)).facts().connection
    except UnknownProjectError:
        return None
    return None if connection is None else connection.backend_url or None


def _tell(line: str) -> None:
    """Say what is done, beside what scripts read."""
    click.echo(line, err=True)
