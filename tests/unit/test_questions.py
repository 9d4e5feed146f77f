"""The questions of a label config: which are learnt together, and which are shown."""

from dataclasses import replace

import numpy as np
import pytest

from dubito.backend.controls.conditions import deciding_classes, is_shown
from dubito.backend.errors import SchemaError
from dubito.backend.features.learnt_questions import in_words
from dubito.backend.labelstudio.questions import MOST_QUESTIONS, read_questions
from dubito.backend.learning.least_certainty import least_certainty
from dubito.backend.state.ranking import Ranking
from dubito.model.arrays import AnswerKind
from dubito.model.schema import Condition, Schema

TEXTS = '<Text name="t" value="$text"/><Text name="u" value="$other"/>'


def choices(name: str, *classes: str, attributes: str = "") -> str:
    inner = "".join(f'<Choice value="{one}"/>' for one in classes or ("a", "b"))
    return f'<Choices name="{name}" toName="t" {attributes}>{inner}</Choices>'


MARKS = '<Labels name="marks" toName="t"><Label value="A"/><Label value="B"/></Labels>'
PAIR = '<Pairwise name="pair" toName="t,u"/>'
STARS = '<Rating name="stars" toName="u"/>'


def asked(*tags: str) -> list[Schema]:
    return [*read_questions(f"<View>{TEXTS}{''.join(tags)}</View>").learnt()]


def names(*tags: str) -> list[str]:
    return [one.control for one in asked(*tags)]


@pytest.mark.parametrize(
    ("tags", "controls"),
    [
        ([STARS, choices("one")], ["one", "stars"]),
        ([choices("one"), MARKS], ["one"]),
        ([choices("one"), PAIR], ["one"]),
        ([PAIR, MARKS], ["pair"]),
        ([choices("one"), choices("confidence"), STARS], ["one", "stars"]),
        ([choices("confidence"), STARS], ["stars"]),
        ([choices("confidence")], ["confidence"]),
        ([choices("one"), choices("one"), STARS], ["one", "stars"]),
    ],
)
def test_what_can_be_learnt_together_is(tags: list[str], controls: list[str]) -> None:
    assert names(*tags) == controls


def test_so_many_questions_are_learnt() -> None:
    tags = [choices(f"q{number}") for number in range(MOST_QUESTIONS + 5)]
    questions = read_questions(f"<View>{TEXTS}{''.join(tags)}</View>")
    learnt = questions.learnt()

    reasons = questions.not_learnt(learnt)

    assert [one.control for one in learnt] == [f"q{n}" for n in range(MOST_QUESTIONS)]
    assert len(reasons) == 5
    assert "the first 20 questions" in reasons[0]
    assert [one.control for one in questions.learnt(["q24", "q3"])] == ["q24", "q3"]


def test_each_control_that_is_not_learnt_has_its_reason() -> None:
    tags = (choices("one"), MARKS, PAIR, '<TextArea name="why" toName="t"/>')
    few = '<Choices name="few" toName="t"><Choice value="a"/></Choices>'
    questions = read_questions(f"<View>{TEXTS}{''.join(tags)}{few}</View>")

    reasons = questions.not_learnt(questions.learnt())

    assert [reason.split()[0] for reason in reasons] == [
        "'marks'",
        "'pair'",
        "'few'",
        "'why'",
    ]
    assert "marks stretches and is not learnt beside 'one'" in " ".join(reasons)
    assert "compares two items and is not learnt beside 'one'" in " ".join(reasons)


@pytest.mark.parametrize(
    ("controls", "reason"),
    [
        (["other"], "'other' cannot be learnt; choose from 'one', 'marks'"),
        (["one", "marks"], "'marks' marks stretches and is not learnt beside 'one'"),
        (["marks", "one"], "'one' is not learnt beside 'marks', which marks stretches"),
    ],
)
def test_a_choice_that_cannot_be_learnt_is_refused(
    controls: list[str], reason: str
) -> None:
    questions = read_questions(f"<View>{TEXTS}{choices('one')}{MARKS}</View>")

    with pytest.raises(SchemaError, match=reason):
        questions.learnt(controls)

    assert [one.control for one in questions.learnt(["marks"])] == ["marks"]


def shown_when(values: str, inside: str = "") -> Condition | None:
    when = f'visibleWhen="choice-selected" whenTagName="one" {values}'
    tags = (choices("one", "a", "b", "c"), f"<View {when}>{choices('two')}</View>")
    *_, two = asked(*tags, inside)
    return two.condition


def test_a_condition_is_read_from_the_control_or_around_it() -> None:
    assert shown_when('whenChoiceValue="a,b"') == Condition(
        control="one", classes=("a", "b")
    )
    assert shown_when("") == Condition(control="one")
    direct = 'visibleWhen="choice-selected" whenTagName="one" whenChoiceValue="c"'
    *_, two = asked(choices("one"), choices("two", attributes=direct))
    assert two.condition == Condition(control="one", classes=("c",))
    other = 'visibleWhen="region-selected"'
    *_, two = asked(choices("one"), choices("two", attributes=other))
    assert two.condition == Condition(control="")
    hidden = direct.replace("choice-selected", "choice-unselected")
    *_, two = asked(choices("one"), choices("two", attributes=hidden))
    assert two.condition == Condition(control="one", classes=("c",), is_negated=True)


def test_a_condition_inside_another_one_is_kept() -> None:
    outer = 'visibleWhen="choice-selected" whenTagName="one" whenChoiceValue="a"'
    inner = 'visibleWhen="choice-selected" whenTagName="two" whenChoiceValue="b"'
    inside = choices("two") + choices("three", attributes=inner)

    _, two, three = asked(choices("one"), f"<View {outer}>{inside}</View>")

    assert two.condition == Condition(control="one", classes=("a",))
    assert three.condition == Condition(control="two", classes=("b",))


def test_a_question_that_is_always_shown_comes_first() -> None:
    when = 'visibleWhen="choice-selected" whenTagName="stars"'
    tags = (choices("one", attributes=when), STARS)

    assert names(*tags) == ["stars", "one"]


def test_a_condition_names_choices_by_alias_text_or_step() -> None:
    inner = '<Choice value="Leaf" alias="l"/>'
    tree = (
        '<Choices name="one" toName="t" allowNested="true">'
        f'<Choice value="Top">{inner}<Choice value="Twig"/></Choice>'
        '<Choice value="Rest"/></Choices>'
    )
    [one] = asked(tree)
    assert one.classes == ("Top / l", "Top / Twig", "Rest")

    def showing(*values: str) -> frozenset[str]:
        return deciding_classes(Condition(control="one", classes=values), one)

    assert showing("Top") == {"Top / l", "Top / Twig"}
    assert showing("l") == {"Top / l"}
    assert showing("Rest") == {"Rest"}
    assert showing("unknown") == showing() == {*one.classes}
    assert is_shown(Condition(control="one", classes=("Rest",)), one, "Rest")
    assert not is_shown(Condition(control="one", classes=("Rest",)), one, "Top / l")
    rest_hides = Condition(control="one", classes=("Rest",), is_negated=True)
    assert is_shown(rest_hides, one, "Top / l")
    assert not is_shown(rest_hides, one, "Rest")


def ranking(
    probabilities: list[list[float]], certainty: list[float], kind: AnswerKind
) -> Ranking:
    return Ranking(
        round=1,
        basis="",
        task_ids=np.arange(len(certainty)),
        classes=("a", "b"),
        probabilities=np.array(probabilities),
        certainty=np.array(certainty),
        kind=kind,
    )


def schema(control: str, condition: Condition | None = None) -> Schema:
    return Schema(
        control=control,
        target="t",
        classes=("a", "b"),
        tag="Text",
        condition=condition,
    )


@pytest.mark.parametrize(
    ("kind", "classes", "expected"),
    [
        ("one of", ("a",), [1 - 0.8 * 0.9, 0.5]),
        ("one of", (), [0.1, 0.5]),
        ("any of", ("a",), [1 - 0.8 * 0.9, 0.5]),
        ("any of", (), [1 - 0.84 * 0.9, 0.5]),
    ],
)
def test_a_question_counts_as_much_as_it_is_likely_to_be_shown(
    kind: AnswerKind, classes: tuple[str, ...], expected: list[float]
) -> None:
    first = ranking([[0.8, 0.2], [0.0, 1.0]], [0.9, 0.5], kind)
    second = ranking([[0.5, 0.5], [0.5, 0.5]], [0.1, 0.9], "one of")
    condition = Condition(control="one", classes=classes)

    certainty = least_certainty(
        [first, second], [schema("one"), schema("two", condition)]
    )

    assert certainty == pytest.approx(expected)


def test_conditions_in_a_circle_do_no_harm() -> None:
    both = [ranking([[0.5, 0.5]], [0.2], "one of") for _ in range(2)]
    schemas = [
        schema("one", Condition(control="two", classes=("a",))),
        schema("two", Condition(control="one", classes=("a",))),
    ]

    [certainty] = least_certainty(both, schemas)

    assert 0.2 <= certainty <= 1


def test_a_question_without_a_model_says_nothing() -> None:
    known = ranking([[0.5, 0.5]], [0.7], "one of")
    unknown = Ranking(
        round=1,
        basis="",
        task_ids=np.arange(1),
        classes=(),
        probabilities=np.empty((1, 0)),
        certainty=np.array([0.5]),
    )

    schemas = [schema("one"), schema("two")]

    assert least_certainty([known, unknown], schemas) == pytest.approx([0.7])
    assert least_certainty([unknown, known], schemas) == pytest.approx([0.7])
    assert least_certainty([unknown, unknown], schemas) == pytest.approx([0.5])


def test_a_ranking_is_kept_with_its_other_questions() -> None:
    first = ranking([[0.8, 0.2], [0.0, 1.0]], [0.9, 0.5], "one of")
    other = ranking([[0.5, 0.5], [0.25, 0.5]], [0.1, 0.75], "any of")
    whole = replace(first, others={"mood": other, "odd:name": first})
    fields = {
        name.encode(): str(value).encode() if isinstance(value, (str, int)) else value
        for name, value in whole.fields.items()
    }

    kept = Ranking.of(fields)

    assert kept is not None
    assert [*kept.others] == ["mood", "odd:name"]
    mood = kept.others["mood"]
    assert mood.kind == "any of"
    assert mood.certainty.tolist() == [0.1, 0.75]
    assert mood.probabilities.tolist() == other.probabilities.tolist()
    assert kept.among([1]).others["mood"].certainty.tolist() == [0.75]


def test_a_class_with_a_comma_is_told_from_two_classes() -> None:
    moods = replace(schema("mood"), classes=("glad", "angry, very", "sad"))

    assert in_words(moods).endswith(": glad, 'angry, very', sad")
