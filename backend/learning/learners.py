"""Which learner learns the answers to a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.model.learners.pairs import PairLearner
from dubito.model.learners.registry import learner

if TYPE_CHECKING:
    from dubito.backend.project_settings import Preferences
    from dubito.model.learners.registry import Learner
    from dubito.model.schema import Schema


def learner_for(schema: Schema, preferences: Preferences) -> Learner:
    """Return the learner that the owner chose, made for pairs where items are compared.

    Raises
    ------
    UnknownLearnerError
        if there is none of the chosen name
    """
    named_learner = learner(preferences.learner, preferences.seed)
    return PairLearner(named_learner) if codec_of(schema).compares else named_learner
