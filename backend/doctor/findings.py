"""What the doctor finds: a mark, what it is, why it matters, and the exact cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from redis.exceptions import RedisError

from backend.errors import LabelStudioRefusedError
from backend.state.cures import cure as store_cure

AGAIN = "then run `dubito doctor` again"


class Mark(StrEnum):
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

    mark: Mark
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
    return Verdict(mark=Mark.OK, what=what)


def warning(what: str, why: str, *cures: str, mends: bool = False) -> Verdict:
    """Return something that should be looked at; the work goes on."""
    return Verdict(mark=Mark.WARNING, what=what, why=why, cures=cures, mends=mends)


def fault(what: str, why: str, *cures: str, mends: bool = False) -> Verdict:
    """Return something that stops the work, and the checks that build on it."""
    return Verdict(
        mark=Mark.FAULT, what=what, why=why, cures=cures, mends=mends, blocks=True
    )


def skipped(what: str) -> Verdict:
    """Return that this could not be looked at."""
    return Verdict(mark=Mark.SKIPPED, what=what, blocks=True)


def of_error(error: Exception) -> Verdict:
    """Return what an error says that no check expected."""
    said = str(error) or type(error).__name__
    if isinstance(error, RedisError):
        return fault(said, "labels and rounds are kept there", store_cure(error))
    if isinstance(error, LabelStudioRefusedError) and error.status == 403:
        why = "without this right Dubito cannot set the project up"
        return fault(said, why, "set LABEL_STUDIO_API_KEY to a token of who has it")
    cure = f"see whether Label Studio is well (its own log says more), {AGAIN}"
    return fault(said, "nothing more can be found out here", cure)
