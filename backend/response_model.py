"""What all models of the HTTP API's answers share.

A model is the one source of the JSON that an endpoint answers, of its description in
`/openapi.json` and, for the status, of the table in `docs/reference.md`.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, WithJsonSchema

# Bounds are described and not checked: a rounding error must not become a failure.
Count: TypeAlias = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0})]
Share: TypeAlias = Annotated[
    float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
Amount: TypeAlias = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0})]
Why: TypeAlias = Annotated[str, WithJsonSchema({"enum": ["start", "doubt", "audit"]})]
"""Why a task is asked for: for the seed set, because of doubt, or at random."""


class ResponseModel(BaseModel):
    """A part of what an endpoint answers."""

    model_config = ConfigDict(
        frozen=True,
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
    )
