"""Each control, with each attribute that changes what an answer to it may be.

All that Dubito offers follows its first assessment, which needs more labels than the
tests of templates give: each variant gets them here, and all is looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

import numpy as np
import pytest

from dubito.backend.autolabel.estimate import NUMBERS
from dubito.backend.export.formats import TABLES
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.web.app import create_app
from dubito.model.query.seed_set import permutation
from tests.label_studio import CONTROL, ITEM, JsonObject
from tests.service.stand import Stand

TASKS, LABELS = 50, 26
PLAIN = "".join(f'<Choice value="{name}"/>' for name in "abc")
ALIASES = "".join(f'<Choice value="{name * 3}" alias="{name}"/>' for name in "abc")
TREE = f'<Choice value="s">{PLAIN}</Choice><Choice value="b"/>'

Row: TypeAlias = "Sequence[float]"
Answer: TypeAlias = "Callable[[Row], object]"


def one_of(row: Row) -> list[str]:
    return ["abc"[int(np.argmax(row[:3]))]]


def any_of(row: Row) -> list[str]:
    return [name for name, value in zip("abc", row, strict=False) if value > 0]


def some_of(row: Row) -> list[str]:
    return any_of(row) or one_of(row)


def path(row: Row) -> list[list[str]]:
    """Return one path of the tree, as long as it goes."""
    [name] = one_of(row)
    return [["b"]] if name == "b" else [["s", name]]


def inner_path(row: Row) -> list[list[str]]:
    """Return one path of the tree, which may end above a leaf."""
    return path(row) if row[0] > 0 else [["s"]]


def paths(row: Row) -> list[list[str]]:
    return [["b"]] if row[1] > 0 else [["s", name] for name in some_of(row)]


def grade(row: Row) -> int:
    return 1 + sum(row[0] > cut for cut in (-0.8, -0.2, 0.2, 0.8))


def number(row: Row) -> float:
    return round(20 + 5 * row[0] + row[1], 1)


def side(row: Row) -> str:
    return "left" if row[0] > row[1] else "right"


class Variant(NamedTuple):
    """A control, and how people answer it."""

    tag: str
    attributes: str
    inside: str
    answer: Answer

    @property
    def config(self) -> str:
        """The label config, with a second text where the control compares two."""
        target = f"{ITEM},other" if self.tag == "Pairwise" else ITEM
        other = '<Text name="other" value="$other"/>'
        return (
            f'<View><Text name="{ITEM}" value="$row"/>'
            f'{other if self.tag == "Pairwise" else ""}<{self.tag} name="{CONTROL}"'
            f' toName="{target}" {self.attributes}>{self.inside}</{self.tag}></View>'
        )

    def result(self, row: Row) -> list[JsonObject]:
        """Return what the editor stores of an answer."""
        kind, answer = self.tag.lower(), self.answer(row)
        key = "selected" if kind == "pairwise" else kind
        region: JsonObject = {
            "from_name": CONTROL,
            "to_name": ITEM,
            "type": kind,
            "value": {key: answer},
        }
        return [region] if answer or kind == "number" else []


VARIANTS: Mapping[str, Variant] = {
    "one choice": Variant("Choices", "", PLAIN, one_of),
    "one radio button": Variant("Choices", 'choice="single-radio"', PLAIN, one_of),
    "aliases": Variant("Choices", "", ALIASES, one_of),
    "choices": Variant("Choices", 'choice="multiple"', PLAIN, any_of),
    "required choices": Variant(
        "Choices", 'choice="multiple" required="true"', PLAIN, some_of
    ),
    "one of several": Variant("Choices", 'choice="multiple"', ALIASES, one_of),
    "path": Variant("Taxonomy", "", TREE, path),
    "inner path": Variant("Taxonomy", "", TREE, inner_path),
    "leaf": Variant("Taxonomy", 'leafsOnly="true"', TREE, path),
    "one path": Variant("Taxonomy", 'maxUsages="1"', TREE, path),
    "required path": Variant("Taxonomy", 'maxUsages="1" required="true"', TREE, path),
    "paths": Variant("Taxonomy", 'maxUsages="3"', TREE, paths),
    "required paths": Variant("Taxonomy", 'maxUsages="9" required="true"', TREE, paths),
    "stars": Variant("Rating", "", "", grade),
    "many stars": Variant("Rating", 'maxRating="10"', "", grade),
    "number": Variant("Number", "", "", number),
    "steps": Variant("Number", 'min="1" max="5" step="1"', "", grade),
    "pair": Variant("Pairwise", "", "", side),
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_all_that_follows_an_assessment_is_there(
    bench: Stand, variant: Variant
) -> None:
    values = np.random.default_rng(0).normal(size=(TASKS, 4)).round(2).tolist()
    project = bench.label_studio.create_project("variant", variant.config)
    tasks = bench.label_studio.import_tasks(
        project,
        [
            {
                "row": f"row {place}" if variant.tag != "Pairwise" else f"{row[0]}",
                "other": f"{row[1]}",
                **{f"f{column}": value for column, value in enumerate(row)},
            }
            for place, row in enumerate(values)
        ],
    )
    rows = dict(zip(tasks, values, strict=True))
    for task in np.array(tasks)[permutation(np.array(tasks), seed=0)][:LABELS].tolist():
        bench.label_studio.annotate(task, variant.result(rows[task]))
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(project, bench.url, extra_params=extra)
    bench.connect(project)
    bench.settle(project)

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["last_error"]) == (LABELS, "")
    assert status["assessed"]["labels"] == LABELS
    assert status["accuracy"] or status["mean_error"]
    _assert_answers(bench, project, tasks)


def _assert_answers(bench: Stand, project: int, tasks: Sequence[int]) -> None:
    """Look at all that the page shows and offers."""
    web, state = create_app(bench.services).test_client(), bench.state(project)
    paths = [f"tasks/{task}" for task in tasks] + ["learning", "map", "rest", "export"]
    for name in paths:
        answer = web.get(f"/api/projects/{project}/{name}")
        assert answer.status_code == HTTPStatus.OK, answer.text
    plan = web.get(f"/api/projects/{project}/rest").get_json()
    assert plan["thresholds"] or plan["reason"] == NUMBERS
    assert web.get(f"/projects/{project}/report.html").status_code == HTTPStatus.OK
    for table in TABLES.values():
        assert b"".join(table.pieces(state))
    made = fit_model(bench.services, state)
    assert card_of(made, state)
    data = [bench.label_studio.task(task)["data"] for task in tasks[:5]]
    with bench.services.files(bench.services.label_studio()) as files:
        assert len([*made.fitted.answers(data, files)]) == len(data)
