"""The model card: what a model is, was made from, and is good for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backend.logs import plain
from model.features.columns import AT, IS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.learning.standing import Standing
    from backend.state.assessments import Finding
    from backend.state.project import ReadsChoice

MARKUP = re.compile(r"([\\`*_\[\]<>|#])")
MOST_SHOWN = 50
KINDS: Mapping[str, str] = {
    "recording": "recordings of sensors (statistics of each channel and its spectrum)",
    "image": "images (light and shade, edges, texture, colours)",
    "text": "texts (the words, and parts of words, that they share)",
    "numbers": "rows of features",
    "text and numbers": "texts, and numbers beside them",
}
UNKNOWN = (
    "Not known. It is estimated from 20 labels on, of which at least 5 are of tasks"
    " drawn at random; the others were asked for because they were doubtful, and say"
    " little of ordinary items."
)
ESTIMATED = (
    "It gets **{estimate:.1f} %** of the tasks right, between {low:.1f} and"
    " {high:.1f} % with a confidence of 95 %: the chance that {whom}, had nobody"
    " labelled it, gets the label that people would give it."
)
HOW = (
    "This was estimated at {labels} labels, {n} of them of tasks drawn at random."
    " None was withheld: each labelled task was judged by models that had not seen its"
    " label; what that says of the other tasks follows from how often the model was"
    " right at which confidence, and from the tasks drawn at random."
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

A classifier fitted by Dubito {dubito} on {made_at} to the labels that people gave in
project {project} of Label Studio.

| | |
| --- | --- |
| task | one of {n_classes} classes for each item, control {control} |
| learnt from | {labels} labelled tasks of {tasks}, {annotators}, {period} |
| read of each item | {reads} |
| learner | `{learner}`, certainty by `{strategy}`, seed {seed} |

## How good it is

{accuracy}

## Labels

| class | labelled tasks |
| --- | --- |
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

`predict.py` says what it takes. From the same items it gives the probabilities that
Dubito gave. `model.skops` is no pickle: reading it makes objects of named types, and
runs nothing that is stored. Still, read model files only of people you trust.

## What it is for, and what not

It is meant to label items of the kind it was made from: drawn from the same source, as
the tasks of this project were. Of other ones its accuracy is not known, and its
probabilities say nothing about how unlike they are: it always names one of its classes,
also for an item that is none of them.

{limits}

## Versions

{versions}

## Label config

````xml
{config}
````
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a card is about.

    Attributes
    ----------
    labels : how many tasks the model has learnt from
    finding : how good it was found to be, if that is known
    """

    standing: Standing
    reads: ReadsChoice
    finding: Finding | None
    labels: int
    made_at: float
    versions: Mapping[str, str]


def card(subject: Subject) -> str:
    """Return the model card, in Markdown."""
    standing, count = subject.standing, subject.standing.state.tasks.count
    preferences = standing.preferences
    return CARD.format(
        title=_escaped(standing.project.title or f"Project {standing.project.id}"),
        dubito=subject.versions["dubito"],
        made_at=_day(subject.made_at),
        project=standing.project.id,
        n_classes=len(standing.schema.classes),
        control=_escaped(standing.schema.control),
        labels=subject.labels,
        tasks=count(),
        annotators=_annotators(standing),
        period=_period(standing),
        reads=_reads(subject.reads),
        learner=preferences.learner,
        strategy=preferences.strategy,
        seed=preferences.seed,
        accuracy=_accuracy(subject),
        classes=_classes(standing),
        agreement=_set_aside(standing),
        limits=_limits(standing),
        versions="\n".join(f"* {n} {v}" for n, v in subject.versions.items()),
        config=standing.project.label_config.replace("````", "` ` ` `"),
    )


def _annotators(standing: Standing) -> str:
    people = {v.annotator for cast in standing.labels.votes.values() for v in cast}
    return "by 1 annotator" if len(people) == 1 else f"by {len(people)} annotators"


def _period(standing: Standing) -> str:
    moments = [v.updated for cast in standing.labels.votes.values() for v in cast]
    first, last = (_day(at / 1e6) for at in (min(moments), max(moments)))
    return f"on {first}" if first == last else f"from {first} to {last}"


def _reads(reads: ReadsChoice) -> str:
    """Return what is read of each item, the first of the keys by name."""
    names = [_key(key) for key in reads.keys]
    rest = len(names) - MOST_SHOWN
    shown = [*names[:MOST_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]
    return f"{KINDS.get(reads.kind, reads.kind)}: {', '.join(shown) or 'all numbers'}"


def _key(name: str) -> str:
    """Return a key as people know it; how it is read stands in its name."""
    key, _, length = name.partition(AT)
    if length:
        return f"{_escaped(key)} (a vector of {length})"
    is_word = key.endswith(IS)
    return _escaped(key.removesuffix(IS)) + (" (a category)" if is_word else "")


def _accuracy(subject: Subject) -> str:
    """Return how good the model is, and how that was found out, or why it is not."""
    found = None if subject.finding is None else subject.finding.accuracy
    if found is None:
        return UNKNOWN
    group = subject.standing.preferences.group
    whom = f"a task of somebody new (another {_escaped(group)})"
    estimate, low, high = (100 * x for x in (found.estimate, found.low, found.high))
    lines = [
        ESTIMATED.format(
            estimate=estimate, low=low, high=high, whom=whom if group else "such a task"
        ),
        HOW.format(labels=found.labels, n=found.n),
    ]
    if found.labels != subject.labels:
        more = subject.labels - found.labels
        lines.append(f"Since then there are {more:+d} labels.")
    return "\n\n".join(lines)


def _classes(standing: Standing) -> str:
    counts = Counter(standing.labels.chosen.values())
    rows = ((_escaped(name), counts[name]) for name in standing.schema.classes)
    return "\n".join(f"| {name} | {count} |" for name, count in rows)


def _set_aside(standing: Standing) -> str:
    skipped, aside = len(standing.labels.skipped), standing.labels.set_aside
    return (
        f"Of several answers to one task the majority counts. {skipped} tasks were"
        f" skipped, and {aside} annotations set aside, as they are no label."
    )


def _limits(standing: Standing) -> str:
    counts = Counter(standing.labels.chosen.values())
    unseen = [name for name in standing.schema.classes if not counts[name]]
    few = [name for name in standing.schema.classes if 0 < counts[name] < 5]
    said = [BY_DOUBT, OPINIONS]
    if unseen:
        names = ", ".join(map(_escaped, unseen))
        said.append(f"It never answers {names}: no task has that label.")
    if few:
        names = ", ".join(map(_escaped, few))
        said.append(f"It knows little of {names}: fewer than 5 tasks have that label.")
    return "\n".join(f"* {line}" for line in said)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _escaped(text: str) -> str:
    """Return a stranger's words as plain text of Markdown."""
    return MARKUP.sub(r"\\\1", plain(text))
