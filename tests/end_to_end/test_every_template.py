"""Every template about whole tasks, labelled in the published order."""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests.dubito_process import Dubito
from tests.end_to_end import test_loop_controls, test_loop_kinds
from tests.end_to_end.test_loop_controls import (
    CELL,
    LABELS,
    PERSON,
    template,
)
from tests.end_to_end.test_templates import PAGE, ROW
from tests.label_studio import JsonObject, LabelStudio
from tests.pdf_files import pdf
from tests.published_order import label_in_order, window_of
from tests.sounds import sound_file

pytestmark = pytest.mark.end_to_end
TASKS = 20
COLOURS = ((200, 60, 40), (40, 60, 200))
OF_WHOLE_TASKS = ("Choices", "Taxonomy", "Rating", "Pairwise")
MINUTE = "2026-01-01 00:00"
ONE_OR_OTHERS = (["One"], ["Two", "Three"])


def region(control: str, target: str, kind: str, value: JsonObject) -> JsonObject:
    """Return a region as the editor stores it, but for its `id`."""
    names = {"from_name": control, "to_name": target, "type": kind}
    return {**names, "origin": "manual", "value": value}


class Question(NamedTuple):
    """A control that is learnt, and two answers to it.

    An answer is what the editor stores under the type; an empty one is no region.
    """

    control: str
    target: str
    kind: str
    answers: tuple[object, object]

    def regions(self, answer: object) -> list[JsonObject]:
        """Return what the editor stores of an answer."""
        value = {self.kind: answer}
        return [region(self.control, self.target, self.kind, value)] if answer else []

    def allows(self, shown: JsonObject) -> bool:
        """Tell whether a region is an answer to this question, of what people gave."""
        names = (shown["from_name"], shown["to_name"], shown["type"])
        value, (one, other) = shown["value"][self.kind], self.answers
        if isinstance(one, list) and isinstance(other, list):
            is_known = {*value} <= {*one, *other}
        else:
            is_known = value in self.answers
        return names == (self.control, self.target, self.kind) and is_known


class Case(NamedTuple):
    """What people do with a template.

    Attributes
    ----------
    data : of a task, by its place; where a value is a file, its ending and content
    questions : those that are learnt; the answers to the first alternate with each
        task, to the second with each second one
    others : regions of the controls beside them
    """

    data: Callable[[int], JsonObject]
    questions: tuple[Question, ...]
    others: tuple[JsonObject, ...] = ()

    def result(self, place: int) -> list[JsonObject]:
        """Return what the editor stores of the answers to a task."""
        answered = [
            one
            for turn, question in enumerate(self.questions)
            for one in question.regions(question.answers[place >> turn & 1])
        ]
        return [*answered, *self.others]


def chosen(control: str, target: str, one: str, other: str) -> Question:
    return Question(control, target, "choices", ([one], [other]))


def words(place: int) -> str:
    """Return a text that tells the answers to two questions."""
    return f"{(CELL, PERSON)[place & 1]} {('early', 'late')[place >> 1 & 1]} {place}"


def picture(place: int, is_other: int) -> tuple[str, bytes]:
    """Return a photo in one of two colours."""
    noise = np.random.default_rng(place).integers(0, 40, (24, 24, 3))
    pixels = (np.array(COLOURS[is_other]) + noise).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "png", file.getvalue()


def images(place: int) -> JsonObject:
    """Return an image to search for: one other has its colour, or two have."""
    query = place >> 1 & 1
    first = query ^ place & 1
    shown = {"image1": first, "image2": 1 - first, "image3": 1 - first}
    return {
        key: picture(4 * place + number, colour)
        for number, (key, colour) in enumerate({"query_image": query, **shown}.items())
    }


def documents(place: int) -> JsonObject:
    """Return a query: the first text is about it, or the others are."""
    query = place >> 1 & 1
    first = query ^ place & 1
    texts = {"query": query, "text1": first, "text2": 1 - first, "text3": 1 - first}
    return {key: (CELL, PERSON)[number] for key, number in texts.items()}


def turns(place: int) -> list[JsonObject]:
    return [
        {"author": "Bob", "text": "Hello Ann"},
        {"author": "Ann", "text": words(place)},
    ]


def responses(place: int) -> JsonObject:
    texts = (CELL, PERSON, PERSON) if place & 1 else (PERSON, CELL, CELL)
    keys = ("respone", "resptwo", "respthree")
    return {"humanMachineDialogue": turns(place), **dict(zip(keys, texts, strict=True))}


def stock(place: int) -> tuple[str, bytes]:
    """Return prices that rise or fall."""
    prices = 100 + (1 - 2 * (place & 1)) * np.arange(60.0)
    prices += np.random.default_rng(place).normal(size=60)
    lines = [
        f"{MINUTE}:{second:02}.000000,{price:.3f}"
        for second, price in enumerate(prices.tolist())
    ]
    return "csv", "\n".join(["time,value", *lines]).encode()


def sound(place: int) -> tuple[str, bytes]:
    tone = (900, 300)[place & 1] * np.random.default_rng(place).uniform(0.9, 1.1)
    return "wav", sound_file(float(tone))


BOX = {
    "original_width": 24,
    "original_height": 24,
    "image_rotation": 0,
    **region(
        "label",
        "image",
        "rectanglelabels",
        {"x": 4.9, "y": 6.5, "width": 8.6, "height": 8.2, "rotation": 0}
        | {"rectanglelabels": ["Tumor"]},
    ),
}
SLOT = region(
    "entity_slot",
    "dialogue",
    "paragraphlabels",
    {"start": "0", "end": "0", "startOffset": 6, "endOffset": 9, "text": "Ann"}
    | {"paragraphlabels": ["Person"]},
)
SPAN = region(
    "predictable",
    "stock",
    "timeserieslabels",
    {"start": f"{MINUTE}:05.000000", "end": f"{MINUTE}:09.000000", "instant": False}
    | {"timeserieslabels": ["Regions"]},
)
OPTIONS = [
    {"html": "<p>a</p>", "value": "a", "children": [{"value": "b"}]},
    {"html": "<p>c</p>", "value": "c"},
]
RESULTS = region("dynamic_choices", "text", "choices", {"choices": [["a", "b"], ["c"]]})
CONFIDENCE = region("confidence", "text", "choices", {"choices": ["High"]})
COMMENT = region("comments", "text", "textarea", {"text": ["as I see it"]})
CASES = {
    "natural-language-processing/text-classification": Case(
        lambda place: {"text": words(place)},
        (chosen("sentiment", "text", "Positive", "Neutral"),),
    ),
    "natural-language-processing/content-moderation": Case(
        lambda place: {"text": words(place)},
        (Question("content_moderation", "text", "choices", (["Toxic", "Insult"], [])),),
        (COMMENT,),
    ),
    "computer-vision/image-classification": Case(
        lambda place: {"image": picture(place, place & 1)},
        (chosen("choice", "image", "Adult content", "Violence"),),
    ),
    "computer-vision/medical-image-classification-with-bboxes": Case(
        lambda place: {"image": picture(place, place & 1)},
        (chosen("classification", "image", "Malignant", "Normal"),),
        (BOX,),
    ),
    "ranking-and-scoring/serp-ranking": Case(
        lambda place: {
            "text": words(place),
            "options": OPTIONS,
        },
        (Question("relevance", "text", "rating", (1, 4)),),
        (RESULTS, CONFIDENCE),
    ),
    "ranking-and-scoring/document-retrieval": Case(
        documents,
        (chosen("selection", "query", "One", "Two"),),
    ),
    "ranking-and-scoring/content-based-image-search": Case(
        images,
        (Question("similar", "query", "choices", ONE_OR_OTHERS),),
    ),
    "structured-data-parsing/pdf-classification": Case(
        lambda place: {"pdf": ("pdf", pdf(words(place)))},
        (
            chosen("choices", "pdf", "Important article", "Yellow press"),
            Question("rating", "pdf", "rating", (2, 9)),
        ),
    ),
    "structured-data-parsing/tabular-data": Case(
        lambda place: {"item": {"width": place / 9 + 3 * (place & 1), "height": place}},
        (chosen("choice", "table", "Correct", "Incorrect"),),
    ),
    "conversational-ai/intent-classification-and-slot-filling": Case(
        lambda place: {"humanMachineDialogue": turns(place)},
        (chosen("intent", "dialogue", "Greeting", "Customer request"),),
        (SLOT,),
    ),
    "conversational-ai/response-selection": Case(
        responses,
        (chosen("resp", "prg", "One", "Three"),),
    ),
    "audio-speech-processing/signal-quality-detection": Case(
        lambda place: {"audio": sound(place)},
        (Question("rating", "audio", "rating", (3, 10)),),
    ),
    "time-series-analysis/time-series-forecasting": Case(
        lambda place: {"csv": stock(place)},
        (chosen("trend_forecast", "stock", "Up", "Down"),),
        (SPAN,),
    ),
}
QUICK = frozenset(
    {
        "natural-language-processing/content-moderation",
        "structured-data-parsing/tabular-data",
    }
)
"""Always labelled; the others take minutes together."""


def import_tasks(
    label_studio: LabelStudio, project: int, tasks: Sequence[JsonObject]
) -> list[int]:
    """Upload the files of tasks, and import the tasks with their addresses.

    Where tasks have several files, Label Studio refuses them: another project has them.
    """
    files = {
        f"{place}-{key}.{value[0]}": value[1]
        for place, data in enumerate(tasks)
        for key, value in data.items()
        if isinstance(value, tuple)
    }
    shelf = (
        project if len(files) <= len(tasks) else label_studio.create_project("shelf")
    )
    addresses = label_studio.upload_files(shelf, files) if files else {}
    rows = [
        {
            key: addresses[f"{place}-{key}.{value[0]}"]
            if isinstance(value, tuple)
            else value
            for key, value in data.items()
        }
        for place, data in enumerate(tasks)
    ]
    return label_studio.import_tasks(project, rows)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.long)
        for name in CASES
    ],
)
def test_a_template_is_labelled_as_it_comes(
    dubito: Dubito, real_label_studio: LabelStudio, name: str
) -> None:
    there, case = real_label_studio, CASES[name]
    project = there.create_project("as it comes", template(name))
    ids = import_tasks(there, project, [case.data(place) for place in range(TASKS)])
    answers = {task: case.result(place) for place, task in enumerate(ids)}
    settings = {"preannotate": True, "window": 4}
    there.connect_backend(project, dubito.url, extra_params=settings)
    dubito.when(project, lambda status: status["pending"] == 0)

    status = label_in_order(dubito, there, project, answers, LABELS)

    counts = {one["control"]: one["labels"] for one in status["questions"]}
    assert counts == {question.control: LABELS for question in case.questions}
    assert (status["set_aside"], status["pool"]) == (0, TASKS - LABELS)
    assert there.next_task(project) == window_of(status)[0]
    assert_valid(there, project, window_of(status)[0], case)


def assert_valid(
    label_studio: LabelStudio, project: int, task: int, case: Case
) -> None:
    """Check that the editor shows an answer to each question, which it would take."""
    [shown] = label_studio.task(task)["predictions"]
    for question, answer in zip(case.questions, shown["result"], strict=True):
        assert question.allows(answer), answer
    copy = {"task": task, "result": shown["result"], "model_version": "copy"}
    path = f"/api/projects/{project}/import/predictions"
    assert label_studio.call("POST", path, json=[copy])["created"] == 1


def test_no_template_about_whole_tasks_is_left_out() -> None:
    rows = ROW.findall(PAGE.read_text())
    listed = {name for name, _, tag, _ in rows if tag in OF_WHOLE_TASKS}
    elsewhere = {
        *(case.config for case in test_loop_controls.CASES.values()),
        *(case.config for case in test_loop_controls.SEVERAL.values()),
        test_loop_kinds.VIDEOS,
    }

    assert {*CASES} == listed - elsewhere
