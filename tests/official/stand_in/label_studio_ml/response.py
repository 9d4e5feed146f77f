"""What a model answers."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class PredictionValue(BaseModel):
    """A prediction for one task."""

    model_config = ConfigDict(protected_namespaces=())
    model_version: Any = None
    score: float | None = 0.0
    result: list[dict[str, Any]] | None


class ModelResponse(BaseModel):
    """Predictions for the tasks of one request."""

    model_config = ConfigDict(protected_namespaces=())
    model_version: str | None = None
    predictions: list[PredictionValue]
