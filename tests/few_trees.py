"""The usual learner with few trees: they take most of its time."""

import pytest

from dubito.model.learners import ensemble, set_ensemble, set_experts
from dubito.model.stretches import classifiers

TREES, TREES_PER_FOLD = 12, 4


def grow_few(patch: pytest.MonkeyPatch) -> None:
    """Let forests be small, for as long as the patch holds."""
    for module in (classifiers, ensemble, set_ensemble):
        patch.setattr(module, "TREES", TREES)
    for module in (ensemble, set_ensemble):
        patch.setattr(module, "TREES_PER_FOLD", TREES_PER_FOLD)
    patch.setattr(set_experts, "FEWEST_TREES", TREES_PER_FOLD)
