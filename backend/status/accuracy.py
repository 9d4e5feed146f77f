"""How good the model is, as the status says it of each kind of question."""

from __future__ import annotations

from pydantic import Field

from dubito.backend.response_model import Amount, Count, ResponseModel, Share


class Accuracy(ResponseModel):
    """The estimated accuracy on a random task."""

    estimate: Share | None
    low: Share | None
    high: Share | None
    n: Count = Field(description="Number of randomly drawn tasks.")


class F1(ResponseModel):
    """An F1 on tasks drawn at random, with its 95 % interval."""

    estimate: Share
    low: Share
    high: Share


class SetF1(ResponseModel):
    """How well sets of classes are predicted."""

    micro: F1 = Field(description="Over all pairs of a task and a class.")
    macro: F1 = Field(description="The mean over the classes.")
    n: Count = Field(description="Number of randomly drawn tasks.")


class MeanError(ResponseModel):
    """The mean error of predicted grades or numbers, with its 95 % interval."""

    estimate: Amount
    low: Amount
    high: Amount
    n: Count = Field(description="Number of randomly drawn tasks.")
