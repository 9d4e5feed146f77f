"""The model card: what a model is, was made from, and is good for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.registry import kind_named
from dubito.backend.export.card_words import about_errors, words_for
from dubito.backend.logs import plain
from dubito.model.features.mixed_columns import AT, IS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.export.card_words import CardWords
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.state.assessments import AssessmentSummary
    from dubito.backend.state.facts import InputSpec
    from dubito.backend.state.kept_scores import MeasuredAccuracy

MARKUP = re.compile(r"([\\`*_\[\]<>|#])")
MOST_SHOWN = 50
UNKNOWN = (
    "Not known. It is estimated from 20 labels on, of which at least 5 are of tasks"
    " drawn at random; the others were asked for because they were doubtful, and say"
    " little of ordinary items."
)
BY_DOUBT = (
    "Most of its labels were asked for by doubt, not at random: their shares are not"
    " those of the classes, and a score on them is not its accuracy."
)
OPINIONS = (
    "Its labels are the annotators' opinions, with their mistakes. Where a wrong"
    " label harms somebody, let a person decide."
)
CARD = """\
# {title}

A model fitted by Dubito {dubito} on {made_at} to the labels that people gave in
project {project} of Label Studio.

| | |
| --- | --- |
| task | {task}, control {control} |
| learnt from | {labels} labelled tasks of {tasks}, {annotators}, {period} |
| read of each item | {reads} |
| learner | {learner}, seed {seed} |

## How good it is

{accuracy}

## Labels

{classes}

{agreement}

## How to use it

Install Dubito {dubito}, which reads the items, and then the versions that the numbers
depend on:

```sh
pip install .  # in Dubito's source
pip install -r requirements.txt
python predict.py items.csv > labels.csv
```

`predict.py` says what it takes. {label}From the same items it gives the
{gives} that Dubito gave. `model.skops` is no pickle: reading it makes objects of
named types, and runs nothing that is stored. Still, read model files only of people
you trust.

## What it is for, and what not

It is meant to label items of the kind it was made from: drawn from the same source, as
the tasks of this project were. Of other ones its accuracy is not known, and its
probabilities say nothing about how unlike they are: {others}

{limits}

## Versions

{versions}

## Label config

````xml
{config}
````
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContent:
    """What a card is about.

    Attributes
    ----------
    labels : how many tasks the model has learnt from
    finding : how good it was found to be, if that is known
    """

    snapshot: ProjectSnapshot
    reads: InputSpec
    finding: AssessmentSummary | None
    labels: int
    made_at: float
    versions: Mapping[str, str]


def model_card(subject: CardContent) -> str:
    """Return the model card, in Markdown."""
    snapshot, count = subject.snapshot, subject.snapshot.state.tasks.count
    preferences, words = snapshot.preferences, words_for(snapshot.schema)
    return CARD.format(
        title=_escaped(snapshot.project.title or f"Project {snapshot.project.id}"),
        dubito=subject.versions["dubito"],
        made_at=_day(subject.made_at),
        project=snapshot.project.id,
        task=words.task.format(n_classes=len(snapshot.schema.classes)),
        control=_escaped(snapshot.schema.control),
        labels=subject.labels,
        tasks=count(),
        annotators=_annotators(snapshot),
        period=_period(snapshot),
        reads=_reads(subject.reads),
        learner=words.learner.format(
            learner=preferences.learner, strategy=preferences.strategy
        ),
        gives=words.gives,
        seed=preferences.seed,
        accuracy=_accuracy(subject),
        classes=_classes(subject),
        label=f"{words.label} " if words.label else "",
        others=words.others,
        agreement=_set_aside(snapshot, words),
        limits=_limits(snapshot, words),
        versions="\n".join(f"* {n} {v}" for n, v in subject.versions.items()),
        config=snapshot.project.label_config.replace("````", "` ` ` `"),
    )


def _annotators(snapshot: ProjectSnapshot) -> str:
    people = {v.annotator for cast in snapshot.labels.votes.values() for v in cast}
    return "by 1 annotator" if len(people) == 1 else f"by {len(people)} annotators"


def _period(snapshot: ProjectSnapshot) -> str:
    moments = [v.updated for cast in snapshot.labels.votes.values() for v in cast]
    first, last = (_day(at / 1e6) for at in (min(moments), max(moments)))
    return f"on {first}" if first == last else f"from {first} to {last}"


def _reads(reads: InputSpec) -> str:
    """Return what is read of each item, the first of the keys by name."""
    names = [_key(key) for key in reads.keys]
    rest = len(names) - MOST_SHOWN
    items = [*names[:MOST_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]
    title = kind_named(reads.kind).title
    return f"{title}: {', '.join(items) or 'all numbers'}"


def _key(name: str) -> str:
    """Return a key as people know it; how it is read stands in its name."""
    key, _, length = name.partition(AT)
    if length:
        return f"{_escaped(key)} (a vector of {length})"
    is_word = key.endswith(IS)
    return _escaped(key.removesuffix(IS)) + (" (a category)" if is_word else "")


def _accuracy(subject: CardContent) -> str:
    """Return how good the model is, and how that was found out, or why it is not."""
    finding = subject.finding
    if finding is None or finding.point is None:
        return UNKNOWN
    lines = [*_share_right(subject, finding.accuracy), *about_errors(finding)]
    if finding.accuracy is not None:
        lines.append(_how(subject, finding.labels, finding.accuracy.n))
    if finding.labels != subject.labels:
        more = subject.labels - finding.labels
        lines.append(f"Since then there are {more:+d} labels.")
    return "\n\n".join(lines)


def _how(subject: CardContent, labels: int, n: int) -> str:
    """Return how it was found out how often the model is right."""
    group = _group(subject.snapshot)
    unseen = f"any label of the same {group}" if group else "its label"
    by = f"groups of tasks with the same {group}" if group else "tasks"
    how = words_for(subject.snapshot.schema).how
    return how.format(labels=labels, n=n, unseen=unseen, by=by)


def _group(snapshot: ProjectSnapshot) -> str:
    """Return the key by which tasks are grouped; empty if none is."""
    is_grouped = bool(snapshot.state.groups.all())
    return _escaped(snapshot.preferences.group) if is_grouped else ""


def _share_right(subject: CardContent, accuracy: MeasuredAccuracy | None) -> list[str]:
    """Return how often the model is right; nothing where labels are numbers."""
    if accuracy is None:
        return []
    group = _group(subject.snapshot)
    whom = f"a task of somebody new (another {group})"
    estimate, low, high = (
        100 * x for x in (accuracy.estimate, accuracy.low, accuracy.high)
    )
    sentence = words_for(subject.snapshot.schema).estimated
    return [
        sentence.format(
            estimate=estimate, low=low, high=high, whom=whom if group else "such a task"
        )
    ]


def _classes(subject: CardContent) -> str:
    """Return how many tasks have each class; of sets also how well it is predicted."""
    counts, classes = subject.snapshot.labelled_counts, subject.snapshot.schema.classes
    finding = subject.finding
    if subject.snapshot.kind == "number":
        return _range(subject.snapshot)
    scores = finding and (finding.stretch_scores or finding.set_scores)
    rows: list[tuple[str, ...]] = [("class", "labelled tasks"), ("---", "---")]
    rows += [(_escaped(name), str(counts[name])) for name in classes]
    if scores:
        f1 = [scores.by_class.get(name) for name in classes]
        last = ["F1", "---", *("—" if one is None else f"{one:.2f}" for one in f1)]
        rows = [(*row, cell) for row, cell in zip(rows, last, strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _range(snapshot: ProjectSnapshot) -> str:
    """Return between which numbers the labels lie."""
    numbers = sorted(snapshot.labels.chosen.values(), key=float)
    return f"The labels lie between {numbers[0]} and {numbers[-1]}."


def _set_aside(snapshot: ProjectSnapshot, words: CardWords) -> str:
    skipped_count, aside = len(snapshot.labels.skipped), snapshot.labels.set_aside
    return (
        f"{words.combined} {skipped_count} tasks were"
        f" skipped, and {aside} annotations set aside, as they are no label."
    )


def _limits(snapshot: ProjectSnapshot, words: CardWords) -> str:
    counts, classes = snapshot.labelled_counts, snapshot.schema.classes
    if codec_of(snapshot.schema).compares:  # a label of one side tells of the other
        classes = ()
    unseen = [name for name in classes if not counts[name]]
    few = [name for name in classes if 0 < counts[name] < 5]
    lines = [BY_DOUBT, OPINIONS]
    if unseen:
        names = ", ".join(map(_escaped, unseen))
        lines.append(f"It never answers {names}: no task has {words.of_class}.")
    if few:
        names = ", ".join(map(_escaped, few))
        reason = f"fewer than 5 tasks have {words.of_class}"
        lines.append(f"It knows little of {names}: {reason}.")
    return "\n".join(f"* {line}" for line in lines)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _escaped(text: str) -> str:
    """Return a stranger's words as plain text of Markdown."""
    return MARKUP.sub(r"\\\1", plain(text))
