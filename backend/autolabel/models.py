"""What the owner may ask of auto-labelling, and what the owner is told of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dubito.backend.errors import MalformedRequestError
from dubito.backend.response_model import Count, ResponseModel, Share
from dubito.backend.state.autolabel import RestState
from dubito.backend.validation import parse
from dubito.model.evaluation.autolabel_thresholds import Threshold


class AutolabelCommand(BaseModel):
    """What the owner wants done about the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    action: Literal["start", "pause", "resume", "undo"]
    certainty: float | None = Field(default=None, ge=0.0, le=1.0)
    annotations: bool = False


class AutolabelProgress(ResponseModel):
    """How far the auto-labelling job has come."""

    state: RestState
    doing: RestState = Field(description="What a paused job goes on with.")
    certainty: Share | None
    as_annotations: bool
    written: Count = Field(
        description="Labels in Label Studio; during an undo, those that are left."
    )
    of: Count
    passed_over: Count = Field(
        description="Tasks that people had answered, or that are gone."
    )
    time_left: str = Field(
        description="Estimate of how long a running job takes; empty until it is known."
    )
    note: str
    error: str


class AutolabelStatus(ResponseModel):
    """What each threshold would label, and how far the job has come."""

    thresholds: list[Threshold] = Field(
        default=[], description="Empty before there is an honest estimate."
    )
    errors: str = Field(
        default="", description="What an expected error is the share of."
    )
    answers: list[str] = Field(
        default=[], description="Names of the controls that an auto-label answers."
    )
    advised: Share | None = None
    advice: str = ""
    reason: str = Field(default="", description="Why there are no thresholds.")
    job: AutolabelProgress


def parse_autolabel_command(payload: object) -> AutolabelCommand:
    """Read what is wished; raise `MalformedRequestError` if it is nothing we do."""
    wish = parse(AutolabelCommand, payload, "invalid auto-label request")
    if wish.action == "start" and wish.certainty is None:
        message = "to start, give `certainty`, the minimum certainty from 0 to 1"
        raise MalformedRequestError(message)
    return wish
