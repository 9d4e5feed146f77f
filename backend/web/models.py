"""What the smaller endpoints answer, and how a view answers with a model."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, ParamSpec

from flask import Response
from pydantic import ConfigDict, Field

from dubito.backend.records import JsonObject
from dubito.backend.response_model import Count, ResponseModel, Share

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


def answers(
    view: Callable[P, ResponseModel | tuple[ResponseModel, HTTPStatus]],
) -> Callable[P, Response]:
    """Let a view return a model, with a status if that is not 200."""

    @wraps(view)
    def answer(*values: P.args, **arguments: P.kwargs) -> Response:
        reply = view(*values, **arguments)
        model, status = reply if isinstance(reply, tuple) else (reply, HTTPStatus.OK)
        return Response(model.model_dump_json(), status, mimetype="application/json")

    return answer


class ProjectName(ResponseModel):
    """A connected project."""

    id: Count
    key: str


class Projects(ResponseModel):
    """All connected projects."""

    projects: list[ProjectName]


class Index(ResponseModel):
    """Who answers, and for which projects."""

    status: Literal["UP"] = "UP"
    name: Literal["Dubito"] = "Dubito"
    projects: list[ProjectName]


class Health(ResponseModel):
    """Which parts are up; a caller without credentials gets the status alone."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)
    status: Literal["UP", "DEGRADED", "DOWN"]
    store: Literal["up", "down", "refuses"] = "up"
    detail: str = ""
    workers: Count = 0
    label_studio: str = ""
    model_class: Literal["Dubito"] = "Dubito"


class ModelVersion(ResponseModel):
    """The model version of the predictions."""

    model_version: str


class Versions(ResponseModel):
    """All model versions."""

    versions: list[str]


class Score(ResponseModel):
    """The prediction for a task."""

    score: Share
    model_version: str
    result: list[JsonObject]


class Scores(ResponseModel):
    """One prediction for each task, in order."""

    results: list[Score]


class Noted(ResponseModel):
    """Whether an event changed anything."""

    status: Literal["noted", "ignored"]


class Asked(ResponseModel):
    """A worker has been asked."""

    status: Literal["asked"] = "asked"


class Error(ResponseModel):
    """Why a request is refused."""

    error: str
    detail: str = Field(json_schema_extra={"minLength": 1})
