"""What the doctor finds: a mark, what it is, why it matters, and the exact cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from redis.exceptions import RedisError

from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.state.error_hints import error_hint as store_cure

AGAIN = "then run `dubito doctor` again"


class Severity(StrEnum):
    """How one thing stands.

    A fault stops the work, or part of it; a warning does not, yet.
    """

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one check says.

    Attributes
    ----------
    what : in one line
    why : what it means for the work; empty if all is well
    cures : each one enough by itself, the best first
    mends : whether connecting the project again cures it
    blocks : whether there is no sense in the checks that build on this one
    """

    mark: Severity
    what: str
    why: str = ""
    cures: tuple[str, ...] = ()
    mends: bool = False
    blocks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict, and what it is about.

    Attributes
    ----------
    check : its lasting name, for scripts
    area : where it belongs: machine, store, label_studio or project
    project : its number in Label Studio, for checks of a project
    """

    check: str
    area: str
    project: int | None
    verdict: Verdict


def well(what: str) -> Verdict:
    """Return that all is well."""
    return Verdict(mark=Severity.OK, what=what)


def warning(what: str, why: str, *cures: str, mends: bool = False) -> Verdict:
    """Return something that should be looked at; the work goes on."""
    return Verdict(mark=Severity.WARNING, what=what, why=why, cures=cures, mends=mends)


def fault(what: str, why: str, *cures: str, mends: bool = False) -> Verdict:
    """Return something that stops the work, and the checks that build on it."""
    return Verdict(
        mark=Severity.FAULT, what=what, why=why, cures=cures, mends=mends, blocks=True
    )


def skipped(what: str) -> Verdict:
    """Return that this could not be looked at."""
    return Verdict(mark=Severity.SKIPPED, what=what, blocks=True)


def of_error(error: Exception) -> Verdict:
    """Return what an error says that no check expected."""
    what = str(error) or type(error).__name__
    if isinstance(error, RedisError):
        return fault(
            what, "Dubito keeps labels and rounds in the store", store_cure(error)
        )
    if isinstance(error, LabelStudioRefusedError) and error.status == 403:
        why = "without this right Dubito cannot set the project up"
        return fault(
            what, why, "set LABEL_STUDIO_API_KEY to a token of a user with this right"
        )
    error_hint = f"check Label Studio (its log has details), {AGAIN}"
    return fault(what, "further checks are not possible", error_hint)
