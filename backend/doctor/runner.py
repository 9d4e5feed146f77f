"""Runs the checks one after another, each for a limited time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from dubito.backend.doctor import (
    connection,
    label_studio,
    machine,
    project,
    reach,
    store,
    tasks,
)
from dubito.backend.doctor.findings import (
    AGAIN,
    Finding,
    fault,
    of_error,
    skipped,
    warning,
)
from dubito.backend.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dubito.backend.doctor.context import DiagnosticContext
    from dubito.backend.doctor.findings import Verdict

CHECK_SECONDS = 7.0
WHOLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes
    ----------
    name : lasting, for scripts
    needs : names of checks; if one of them blocks, there is no sense in this one
    """

    name: str
    area: str
    examine: Callable[[DiagnosticContext], Verdict]
    needs: tuple[str, ...] = ()


LABEL_STUDIO, STORE = ("label_studio",), ("store",)
PROJECT, BACKEND = ("project",), ("backend",)
LEARNT, ORDERED = ("connected", "label_config"), ("connected", "tasks")

WHOLE = (
    Check("settings", "machine", machine.check_settings),
    Check("versions", "machine", machine.check_versions),
    Check("disk", "machine", machine.check_disk),
    Check("open_files", "machine", machine.check_open_files),
    Check("web", "machine", machine.check_web_server),
    Check("store", "store", store.check_store),
    Check("persistence", "store", store.check_persistence, STORE),
    Check("memory", "store", store.check_memory, STORE),
    Check("writes", "store", store.check_writes, STORE),
    Check("store_clock", "store", store.check_store_clock, STORE),
    Check("workers", "store", store.check_workers, (*STORE, "writes")),
    Check("queue", "store", store.check_queue, STORE),
    Check("projects", "store", store.check_projects, STORE),
    Check("label_studio", "label_studio", label_studio.check_label_studio),
    Check(
        "label_studio_clock",
        "label_studio",
        label_studio.check_label_studio_clock,
        LABEL_STUDIO,
    ),
    Check("key", "label_studio", label_studio.check_key, LABEL_STUDIO),
    Check("seen", "store", store.check_label_studio_seen, (*STORE, "key")),
)
OF_PROJECT = (
    Check("project", "project", project.check_project, ("key",)),
    Check("label_config", "project", project.check_label_config, PROJECT),
    Check("connected", "project", project.check_known, PROJECT),
    Check(
        "other_dubitos",
        "project",
        connection.check_other_dubitos,
        (*STORE, *PROJECT),  # which marks are this Dubito's is in the store
    ),
    Check("backend", "project", connection.check_backend, (*PROJECT, "connected")),
    Check("reach", "project", reach.check_reach, BACKEND),
    Check("webhook", "project", connection.check_webhook, BACKEND),
    Check("other_webhooks", "project", connection.check_other_webhooks, BACKEND),
    Check("extra_params", "project", project.check_extra_params, BACKEND),
    Check("tasks", "project", tasks.check_tasks, ("connected",)),
    Check("annotations", "project", tasks.check_annotations, LEARNT),
    Check("sampling", "project", project.check_sampling, ORDERED),
    Check("model_version", "project", project.check_model_version, ORDERED),
    Check("first_scores", "project", project.check_first_scores, PROJECT),
    Check("event", "project", connection.check_event, (*STORE, "webhook")),
    Check("work", "project", project.check_work, (*STORE, *ORDERED)),
    Check("columns", "project", project.check_columns, (*STORE, "connected")),
)


@dataclass(slots=True, kw_only=True)
class Examination:
    """Looks at one Dubito, and at some of its projects.

    Attributes
    ----------
    say : told what is looked at next
    """

    patient: DiagnosticContext
    say: Callable[[str], None]
    _ends: float = field(default_factory=lambda: time.monotonic() + WHOLE_SECONDS)

    def examine(self, numbers: Iterable[int]) -> Iterator[Finding]:
        """Yield what is found, first of the whole, then of each project."""
        blocked_names: set[str] = set()
        yield from self._run(WHOLE, self.patient, blocked_names)
        for number in numbers:
            part = self.patient.of(number)
            yield from self._run(OF_PROJECT, part, set(blocked_names))

    def _run(
        self,
        checks: Iterable[Check],
        patient: DiagnosticContext,
        blocked_names: set[str],
    ) -> Iterator[Finding]:
        for check in checks:
            self.say(check.name.replace("_", " "))
            hindrance = next(
                (name for name in check.needs if name in blocked_names), ""
            )
            if hindrance:
                verdict = skipped(f"skipped: first fix {hindrance!r}")
            else:
                verdict = self._in_time(check, patient)
            if verdict.blocks:
                blocked_names.add(check.name)
            yield Finding(
                check=check.name,
                area=check.area,
                project=patient.number if check.area == "project" else None,
                verdict=verdict,
            )

    def _in_time(self, check: Check, patient: DiagnosticContext) -> Verdict:
        """Run a check; give up on it when it takes too long."""
        seconds = min(CHECK_SECONDS, self._ends - time.monotonic())
        if seconds <= 0:
            return warning(
                "skipped: no time was left",
                "this command stops after half a minute",
                "check one project: `dubito doctor --project 1`",
            )
        try:
            return _begun(check, patient).result(seconds)
        except TimeoutError:
            return _too_slow(check, seconds)
        except (BackendError, RedisError) as error:
            return of_error(error)


def _begun(check: Check, patient: DiagnosticContext) -> Future[Verdict]:
    """Begin a check in a thread that may be left behind, should it hang."""
    verdict: Future[Verdict] = Future()

    def examine() -> None:
        try:
            verdict.set_result(check.examine(patient))
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            verdict.set_exception(error)

    threading.Thread(target=examine, daemon=True).start()
    return verdict


def _too_slow(check: Check, seconds: float) -> Verdict:
    who = {"machine": "this machine", "store": "the store"}
    slow = who.get(check.area, "Label Studio")
    return fault(
        f"no answer after {seconds:.0f} s",
        f"{slow} hangs, or is too slow for Dubito",
        f"find out what keeps {slow} busy, {AGAIN}",
    )
