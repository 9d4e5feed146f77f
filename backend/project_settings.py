"""What a project's owner may choose: the extra parameters of its ML backend."""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dubito.backend.errors import ProjectSettingsError
from dubito.backend.validation import faults
from dubito.model.features.extractors import extractor_names
from dubito.model.learners.registry import learner_names

NO_AUDIT = 1e-9
MOST_FEATURES = 1_000
MOST_CONTROLS = 20
TOLD = 5
LONGEST_FAULT = 300
LONGEST_GIVEN = 100_000
LONGEST_UNIT = 1e15
"""More than a week of nanoseconds, in which a time column may count."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
Cost = Literal["task", "length"]


class Strict(BaseModel):
    """Settings in which a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Initial(Strict):
    """How many random tasks and cluster centres to start with; by default, C each."""

    random: int | None = Field(default=None, ge=0, le=10_000)
    centres: int | None = Field(default=None, ge=0, le=10_000)


class Preferences(Strict):
    """What a project's owner may choose.

    Attributes
    ----------
    controls : names of the controls to learn, the first question first; if empty, all
        that can be learnt together
    strategy : how certainty is measured
    cost : what labelling costs where people mark stretches: as much for each task, or
        for each second or word of it
    unit_length : of what stretches are learnt by, in recordings, sounds and videos, in
        seconds or what the time column counts; by default it comes from the data
    learner : a registered name
    extractor : a name that a package registers: what describes the items
    class_names : whether the names of the classes teach, too
    features : keys of the tasks' data to learn from; all that can be used if empty
    group : key of the tasks' data whose items belong together, e.g. a person
    audit : share of tasks drawn at random to measure accuracy
    window : how many of the next tasks are kept in exact order
    preannotate : whether the predicted label is shown to annotators
    """

    controls: Annotated[tuple[Name, ...], Field(max_length=MOST_CONTROLS)] = ()
    strategy: Literal["margin", "entropy", "least_confidence"] = "margin"
    cost: Cost = "task"
    unit_length: float | None = Field(
        default=None, strict=True, gt=0, le=LONGEST_UNIT, allow_inf_nan=False
    )
    learner: Name = "auto"
    extractor: str = ""
    class_names: Literal["auto", "off"] = "auto"
    features: Annotated[tuple[Name, ...], Field(max_length=MOST_FEATURES)] = ()
    group: str = ""
    initial: Initial = Initial()
    audit: float = Field(default=0.1, ge=0, le=1)
    window: int = Field(default=20, ge=1, le=1_000)
    preannotate: bool = False
    seed: int = Field(default=0, ge=0, le=2**31)

    @field_validator("controls", "features", mode="before")
    @classmethod
    def _is_list(cls, names: object) -> object:
        if isinstance(names, str):
            message = f'must be a list of names, such as ["{names[:60]}"]'
            raise ValueError(message)  # noqa: TRY004  # pydantic takes no other
        return names

    @field_validator("learner")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        if name not in learner_names():
            message = (
                f"{name[:60]!r} is unknown; choose from {', '.join(learner_names())}"
            )
            raise ValueError(message)
        return name

    @field_validator("extractor")
    @classmethod
    def _is_installed(cls, name: str) -> str:
        if name and name not in extractor_names():
            names = ", ".join(extractor_names()) or "none is installed"
            message = f"{name[:60]!r} is unknown; choose from: {names}"
            raise ValueError(message)
        return name

    @property
    def has_own_audit(self) -> bool:
        """Whether the owner has named the share, be it the usual one."""
        return "audit" in self.model_fields_set

    @property
    def audit_every(self) -> int:
        """Every so many tasks one is an audit task; 0 for never."""
        return round(1 / self.audit) if self.audit > NO_AUDIT else 0


NO_OBJECT = (
    'the extra params must be a JSON object, such as {"preannotate": true}, not a list,'
    " a text or a number"
)


def read_preferences(extra_params: object) -> Preferences:
    """Read the extra parameters: nothing, JSON, or a text that holds JSON.

    Raises
    ------
    ProjectSettingsError
        naming each setting that cannot be used
    """
    try:
        params = extra_params
        if isinstance(extra_params, str):
            _check_length(extra_params)
            params = orjson.loads(extra_params.strip() or "{}")
        if params is None:
            params = {}
        if not isinstance(params, dict):
            raise ProjectSettingsError(NO_OBJECT)
        return Preferences.model_validate(params)
    except orjson.JSONDecodeError as error:
        message = f"the extra params are not valid JSON: {error}"
        raise ProjectSettingsError(message) from error
    except ValidationError as error:
        reasons = "; ".join(setting_faults(error)[:TOLD])
        message = f"the extra params are invalid: {reasons}"
        raise ProjectSettingsError(message) from error


def setting_faults(error: ValidationError) -> list[str]:
    """Return what is wrong with each setting, as `setting: reason`."""
    reasons = faults(error, "top level", Preferences)
    return [reason[:LONGEST_FAULT] for reason in reasons]


def chosen_controls(extra_params: object) -> tuple[str, ...]:
    """Return the controls that are chosen; none if the parameters are invalid."""
    try:
        return read_preferences(extra_params).controls
    except ProjectSettingsError:
        return ()


def _check_length(text: str) -> None:
    if len(text) > LONGEST_GIVEN:
        message = f"the extra params are longer than {LONGEST_GIVEN} characters"
        raise ProjectSettingsError(message)
