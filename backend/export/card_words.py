"""What a model card says differently of each kind of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.model.numbers import rounded

if TYPE_CHECKING:
    from dubito.backend.state.assessments import AssessmentSummary
    from dubito.backend.state.kept_scores import (
        KeptSetScores,
        MeasuredF1,
        MeasuredMeanError,
    )
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Schema


BY_CONFIDENCE = (
    "This was estimated at {labels} labels, {n} of them of tasks drawn at random."
    " None was withheld: each labelled task was judged by models that had not seen"
    " {unseen}; what that says of the other tasks follows from how often the model was"
    " right at which confidence, and from the tasks drawn at random."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardWords:
    """The words for one kind of question.

    Attributes
    ----------
    task : what is asked of each item
    estimated : how often the model is right
    label : how a label is written
    others : what the model says of items of other kinds
    combined : which of several answers counts
    of_class : of a class that labels have
    how : how that was estimated
    learner : what learns, and how certain it is
    gives : what the model gives of an item
    """

    task: str
    estimated: str
    label: str
    others: str
    combined: str
    of_class: str
    how: str = BY_CONFIDENCE
    learner: str = "`{learner}`, certainty by `{strategy}`"
    gives: str = "probabilities"


ONE_OF = CardWords(
    task="one of {n_classes} classes for each item",
    estimated=(
        "It gets **{estimate:.1f} %** of the tasks right, between {low:.1f} and"
        " {high:.1f} % with a confidence of 95 %: the chance that {whom}, had nobody"
        " labelled it, gets the label that people would give it."
    ),
    label="",
    others="it always names one of its classes, also for an item that is none of them.",
    combined="Of several answers to one task the majority counts.",
    of_class="that label",
)
PAIRWISE = CardWords(
    task="which of two items is better, the left or the right one",
    estimated=ONE_OF.estimated,
    label=(
        "The label is the side of the better item. Swapping the items of a pair swaps"
        " the probabilities of the sides, and so the label."
    ),
    others="it always names one side, also where both items are equally good.",
    combined=ONE_OF.combined,
    of_class="that side",
)
ANY_OF = CardWords(
    task="any of {n_classes} classes for each item: several, one or none",
    estimated=(
        "It gets all classes of **{estimate:.1f} %** of the tasks right (exact match),"
        " between {low:.1f} and {high:.1f} % with a confidence of 95 %: the chance that"
        " {whom}, had nobody labelled it, gets the very set of classes that people"
        " would give it, with none missing and none too many."
    ),
    label=(
        "A label is a JSON list of classes. Each class has its own probability; the"
        " label has those above one half."
    ),
    others=(
        "an empty list says that no class is likely, not that the item is of another"
        " kind."
    ),
    combined="Of several answers to one task the most frequent set of classes counts.",
    of_class="that class",
)
SOME_OF = CardWords(
    task="some of {n_classes} classes for each item: several or one",
    estimated=ANY_OF.estimated,
    label=f"{ANY_OF.label[:-1]}, and the likeliest one where there is none.",
    others=(
        "it always names at least one of its classes, also for an item that has none of"
        " them."
    ),
    combined=ANY_OF.combined,
    of_class=ANY_OF.of_class,
)

GRADED = CardWords(
    task="one of {n_classes} grades for each item, in ascending order",
    estimated=(
        "It gets the grade of **{estimate:.1f} %** of the tasks exactly right, between"
        " {low:.1f} and {high:.1f} % with a confidence of 95 %: the chance that {whom},"
        " had nobody labelled it, gets the grade that people would give it."
    ),
    label=(
        "The label is the median grade: the one that expects the smallest error in"
        " grades."
    ),
    others="it always names one of its grades, also for an item of another kind.",
    combined=(
        "Of several answers to one task the median counts; of two medians the more"
        " frequent one, or that of the annotator who agrees more with others."
    ),
    of_class="that grade",
)

STRETCHES = CardWords(
    task="which parts of each item are of which of {n_classes} classes",
    estimated=(
        "It gets **{estimate:.1f} %** of the time, or of the words, right, between"
        " {low:.1f} and {high:.1f} % with a confidence of 95 %: the share of {whom},"
        " had nobody labelled it, that gets just the labels that people would give it."
    ),
    label=(
        "A label is a list of stretches, each with its start and end as Label Studio"
        " writes them: values of the time column or numbers of rows, seconds of a"
        " sound, characters of a text (the end is the character after the last), of an"
        " HTML page without its tags, a turn and a character of it, as in `2+5`, or"
        " frames of a video (from 1, both ends inside)."
        " The confidence is the mean probability of the class over the stretch."
    ),
    others="it may find stretches in any item, also in one of another kind.",
    combined="Of several answers to one task the most frequent counts.",
    of_class="such a stretch",
    how=(
        "This was estimated at {labels} labels, on {n} tasks drawn at random. Each was"
        " judged by a model that had not seen {unseen}; the interval is by {by}."
    ),
    learner="units (windows of time, or words) and a chain of them",
    gives="stretches",
)

NUMBERED = CardWords(
    task="a number for each item",
    estimated="",
    label=(
        "The label is one of up to 20 numbers that people gave, the nearest to the mean"
        " of the middle 80 % of what is likely. The probabilities are those of these"
        " numbers, each of which stands for the numbers near it."
    ),
    others="it always names one of these numbers, also for an item of another kind.",
    combined=GRADED.combined,
    of_class="that number",
)

MEAN_NUMBER_ERROR = (
    "Its number is wrong by **{estimate}** on average, between {low} and"
    " {high} with a confidence of 95 %: on {n} tasks drawn at random, each of which"
    " was judged by models that had not seen its label."
)
MEAN_GRADE_ERROR = (
    "Its grade is wrong by **{estimate:.2f}** grades on average, between {low:.2f} and"
    " {high:.2f} with a confidence of 95 %: on {n} tasks drawn at random."
)
F1_OF_STRETCHES = (
    "A predicted stretch counts as right if it and a true one share half of what both"
    " cover. The mean F1 of the classes is then **{macro:.2f}**."
)
F1 = (
    "Class by class its F1, the harmonic mean of precision and recall, is"
    " **{micro}** over all answers (micro), and {macro} as the mean of the classes"
    " (macro): on {n} tasks drawn at random, with a confidence of 95 %."
)


def words_for(schema: Schema) -> CardWords:
    """Return the words for the kind of a question."""
    codec = codec_of(schema)
    if codec.marks_stretches:
        return STRETCHES
    if codec.compares:
        return PAIRWISE
    if codec.answer_kind == "one of":
        return ONE_OF
    if codec.answer_kind == "ordered":
        return GRADED
    if codec.answer_kind == "number":
        return NUMBERED
    return ANY_OF if codec.may_be_empty else SOME_OF


def about_errors(finding: AssessmentSummary) -> list[str]:
    """Return what is known of the errors beside the accuracy."""
    scores, error = finding.set_scores, finding.mean_error
    stretches = finding.stretch_scores
    f1 = [] if stretches is None else [*stretches.by_class.values()]
    return [
        *([F1_OF_STRETCHES.format(macro=sum(f1) / len(f1))] if f1 else []),
        *([_about_f1(scores)] if scores else []),
        *([_about_mean_error(error, finding.kind)] if error else []),
    ]


def _about_mean_error(error: MeasuredMeanError, kind: AnswerKind) -> str:
    """Return how wrong numbers or grades are on average."""
    if kind != "number":
        return MEAN_GRADE_ERROR.format(**dict(error))
    ends = {name: rounded(getattr(error, name)) for name in ("estimate", "low", "high")}
    return MEAN_NUMBER_ERROR.format(**ends, n=error.n)


def _about_f1(scores: KeptSetScores) -> str:
    """Return how well the classes are predicted, each on its own."""
    return F1.format(micro=_f1(scores.micro), macro=_f1(scores.macro), n=scores.n)


def _f1(f1: MeasuredF1) -> str:
    return f"{f1.estimate:.2f} ({f1.low:.2f} to {f1.high:.2f})"
