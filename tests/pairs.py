"""Pairs of texts with a hidden score, and what people say of them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dubito.model.query.seed_set import permutation
from tests.label_studio import JsonObject, LabelStudio

CONTROL = "better"
CONFIG = (
    f'<View><Pairwise name="{CONTROL}" toName="one,two"/>'
    '<Text name="one" value="$first"/><Text name="two" value="$second"/></View>'
)
WORTH: Mapping[str, int] = {
    **dict.fromkeys(("kind", "clear", "helpful", "honest"), 1),
    **dict.fromkeys(("rude", "vague", "useless", "false"), -1),
    **dict.fromkeys(("the", "answer", "was", "given", "to", "them", "today"), 0),
}
"""What each word adds to the score of a text."""


class Pairs(NamedTuple):
    """A project of pairs, and the better side of each."""

    project: int
    truth: dict[int, str]

    @property
    def tasks(self) -> list[int]:
        return sorted(self.truth)

    def random_tasks(self, count: int) -> list[int]:
        """Return the tasks that come first in the project's random order."""
        order = permutation(np.array(self.tasks, dtype=np.int64), seed=0)
        return [self.tasks[place] for place in order[:count]]


def score(text: str) -> int:
    return sum(WORTH[word] for word in text.split())


def chosen(side: str, target: str = CONTROL) -> list[JsonObject]:
    """Return what the editor stores."""
    value = {"selected": side}
    names = {"from_name": CONTROL, "to_name": target, "type": "pairwise"}
    return [{**names, "value": value}]


def swapped(data: JsonObject) -> JsonObject:
    return {"first": data["second"], "second": data["first"]}


def some_pairs(count: int, seed: int = 0) -> list[tuple[JsonObject, str]]:
    """Return the data of pairs of texts of different scores, and the better side."""
    rng = np.random.default_rng(seed)
    pairs: list[tuple[JsonObject, str]] = []
    while len(pairs) < count:
        texts = [" ".join(rng.choice([*WORTH], size=8)) for _ in range(2)]
        first, second = map(score, texts)
        if first != second:
            data = dict(zip(("first", "second"), texts, strict=True))
            pairs.append((data, "left" if first > second else "right"))
    return pairs


def pairs_project(there: LabelStudio, count: int, config: str = CONFIG) -> Pairs:
    """Make a project of pairs."""
    pairs = some_pairs(count)
    project = there.create_project("pairs", config)
    ids = there.import_tasks(project, [data for data, _ in pairs])
    sides = [side for _, side in pairs]
    return Pairs(project, dict(zip(ids, sides, strict=True)))
