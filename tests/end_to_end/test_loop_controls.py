"""Controls other than flat choices, labelled in the published order."""

import os
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from tests.dubito_process import Dubito
from tests.label_studio import JsonObject, LabelStudio
from tests.published_order import label_in_order, window_of

pytestmark = pytest.mark.end_to_end
LABELS = 8
BACTERIA, HUMAN = ["Bacteria"], ["Eukarya", "Human"]
SIDES: dict[str, object] = {"left": "left", "right": "right"}
CELL, PERSON = "a cell", "a tall person"
NUMBER = (
    '<View><Text name="text" value="$text"/>'
    '<Number name="price" toName="text" min="0" step="0.5"/></View>'
)
KINDS = {"rating": "ordered", "number": "number"}
NESTED = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="tree" toName="text" choice="single" allowNested="true">'
    '<Choice value="Animal"><Choice value="Cat"/><Choice value="Dog"/></Choice>'
    '<Choice value="Plant"/></Choices></View>'
)


def template(name: str) -> str:
    """Return the label config of a template that Label Studio brings."""
    [path] = Path(os.environ["DUBITO_LABEL_STUDIO_VENV"]).glob(
        f"lib/python*/site-packages/label_studio/annotation_templates/{name}/config.yml"
    )
    _, _, config = path.read_text().partition("config: |\n")
    return dedent(config)


class Case(NamedTuple):
    """A label config, and two answers as the editor stores them, by their classes.

    The answer stands in the value under `key`, or else under the type of the region.
    """

    config: str
    control: str
    target: str
    kind: str
    answers: dict[str, object]
    key: str = ""

    def result(self, name: str) -> list[JsonObject]:
        """Return what the editor stores for a class."""
        names = {"from_name": self.control, "to_name": self.target, "type": self.kind}
        return [{**names, "value": self.value(name)}]

    def value(self, name: str) -> JsonObject:
        return {self.key or self.kind: self.answers[name]}


CASES = {
    "rating": Case(
        "generative-ai/response-grading",
        "rating",
        "summary",
        "rating",
        {"1": 1, "5": 5},
    ),
    "taxonomy": Case(
        "natural-language-processing/taxonomy",
        "taxonomy",
        "text",
        "taxonomy",
        {"Bacteria": [BACTERIA], "Eukarya / Human": [HUMAN]},
    ),
    "pairwise": Case(
        "ranking-and-scoring/pairwise-classification",
        "pw",
        "pw",
        "pairwise",
        SIDES,
        "selected",
    ),
    "feedback": Case(
        "generative-ai/human-feedback-collection",
        "comparison",
        "comparison",
        "pairwise",
        SIDES,
        "selected",
    ),
    "number": Case(NUMBER, "price", "text", "number", {"12.5": 12.5, "180": 180}),
    "nested": Case(
        NESTED,
        "tree",
        "text",
        "choices",
        {"Animal / Cat": [["Animal", "Cat"]], "Plant": [["Plant"]]},
    ),
}


MOODS = ("Positive", "Negative")
PROPERTIES = ("Emotional", "Sarcams")


def moods(place: int) -> list[JsonObject]:
    """Return what the editor stores of a post: the second question may be hidden."""
    names = {"to_name": "tweet", "type": "choices"}
    first = {"choices": [MOODS[place % 2]]}
    second = {"choices": [PROPERTIES[place // 2 % 2]]}
    return [
        {**names, "from_name": "sentiment", "value": first},
        {**names, "from_name": "other-props", "value": second},
    ]


YES_OR_NO = ("Yes", "No")
CHATS = (
    *("fails_to_follow", "inappropriate_for_customer", "hallucination"),
    *("satisfies_constraint", "contains_sexual", "contains_violent"),
    *("encourages_violence", "denigrates_protected_class", "gives_harmful_advice"),
    *("expresses_opinion", "expresses_moral_judgment"),
)


def verdicts(place: int) -> list[JsonObject]:
    """Return what the editor stores of eleven questions about a dialogue."""
    names = {"to_name": "dialogue", "type": "choices"}
    return [
        {**names, "from_name": control, "value": {"choices": [YES_OR_NO[bit]]}}
        for control, bit in zip(CHATS, [place // 2 % 2, *[place % 2] * 10], strict=True)
    ]


class Several(NamedTuple):
    """A template that asks several questions, and what is answered to each task."""

    config: str
    controls: tuple[str, ...]
    result: Callable[[int], list[JsonObject]]


SEVERAL = {
    "posts": Several(
        "community-contributions/two-level-sentiment-analysis-of-x-twitter-posts",
        ("sentiment", "other-props"),
        moods,
    ),
    "chats": Several("generative-ai/chatbot-assessment", CHATS, verdicts),
}
QUICK = frozenset({"rating", "taxonomy", "pairwise", "number", "posts"})
"""Always labelled: one for each codec; the others ask by the same controls."""


def data(*, is_first: bool) -> JsonObject:
    """Return the data of a task, of pairs with the better item where it belongs."""
    one, other = (CELL, PERSON) if is_first else (PERSON, CELL)
    texts = dict.fromkeys(("text", "summary", "document", "answer1", "pairText1"), one)
    others = dict.fromkeys(("answer2", "pairText2"), other)
    return {**texts, **others, "prompt": "What is small?"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.long)
        for name in CASES
    ],
)
def test_a_template_is_labelled_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio, name: str
) -> None:
    case = CASES[name]
    config = case.config if case.config.startswith("<") else template(case.config)
    project = real_label_studio.create_project("other controls", config)
    first, second = case.answers
    names = [second if number % 2 else first for number in range(24)]
    tasks = [data(is_first=name == first) for name in names]
    ids = real_label_studio.import_tasks(project, tasks)
    answers = dict(zip(ids, map(case.result, names), strict=True))
    settings = {"preannotate": True, "window": 4}
    real_label_studio.connect_backend(project, dubito.url, extra_params=settings)
    dubito.when(project, lambda status: bool(status["published_at"]))

    status = label_in_order(dubito, real_label_studio, project, answers, LABELS)

    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert status["kind"] == KINDS.get(case.kind, "one of")
    assert status["kind"] == "number" or {first, second} <= {*status["classes"]}
    [shown] = real_label_studio.task(window_of(status)[0])["predictions"]
    [region] = shown["result"]
    assert region["value"] in [case.value(name) for name in case.answers]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.long)
        for name in SEVERAL
    ],
)
def test_several_questions_are_answered_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio, name: str
) -> None:
    case = SEVERAL[name]
    project = real_label_studio.create_project("several", template(case.config))
    texts = [
        f"{CELL if n % 2 else PERSON} {'late' if n // 2 % 2 else 'early'}"
        for n in range(24)
    ]
    tasks: list[JsonObject] = [
        {"tweet": text, "messages": [{"role": "user", "content": text}]}
        for text in texts
    ]
    ids = real_label_studio.import_tasks(project, tasks)
    answers = {task: case.result(place) for place, task in enumerate(ids)}
    settings = {"preannotate": True, "window": 4}
    real_label_studio.connect_backend(project, dubito.url, extra_params=settings)
    dubito.when(project, lambda status: bool(status["published_at"]))

    status = label_in_order(dubito, real_label_studio, project, answers, LABELS)

    assert [one["control"] for one in status["questions"]] == [*case.controls]
    assert {one["labels"] for one in status["questions"]} == {LABELS}
    [shown] = real_label_studio.task(window_of(status)[0])["predictions"]
    assert {one["from_name"] for one in shown["result"]} == {*case.controls}
