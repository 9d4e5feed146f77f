"""`dubito simulate`: read, replay, say what came of it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
from pydantic import ValidationError
from rich.console import Console

from dubito.backend.errors import ExportError
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.backend.labelstudio.questions import read_questions
from dubito.backend.project_settings import Preferences, setting_faults
from dubito.backend.simulate.curves import Curves, Outcome
from dubito.backend.simulate.dataset import Source
from dubito.backend.simulate.export_reader import Export, read_export, read_file
from dubito.backend.simulate.json_min import Question
from dubito.backend.simulate.plot import check_plot, save_plot
from dubito.backend.simulate.process_pool import KeptRuns, arithmetic_mark
from dubito.backend.simulate.report import carry_out_telling, introduce, table
from dubito.backend.simulate.runs import (
    Experiment,
    Job,
    StrategyRun,
    split_by,
    usual_budget,
)
from dubito.backend.text_encoding import as_utf8
from dubito.model.errors import TooFewLabelsError
from dubito.model.simulation import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dubito.backend.settings import Settings
    from dubito.backend.simulate.dataset import Dataset
    from dubito.backend.simulate.runs import Run
    from dubito.model.schema import Schema

KEPT = "simulations"
MOST_SCORES = 200
"""So many points of the random curve are measured; the others lie between them."""

RANDOM = "random"
EVERYTHING = "everything"
FILES_HINT = "give the directory of the tasks' files with --files"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions:
    """What the command line asks for.

    Attributes
    ----------
    file, project : what to replay: one of them
    config, files : of a file: its label config, and where its tasks' files lie
    budget : None for what is usual for a project of this size
    strategy : how certainty is measured
    group : key of the tasks' data
    question : name of the control whose answers are replayed; the first one's if empty
    output : where to draw the curves
    """

    file: Path | None = None
    project: int | None = None
    config: Path | None = None
    files: Path | None = None
    budget: int | None = None
    seeds: int = 5
    learner: str = "auto"
    strategy: str = "margin"
    group: str = ""
    question: str = ""
    output: Path | None = None
    as_json: bool = False

    def preferences(self) -> Preferences:
        """Return the service's defaults, with what was chosen.

        Raises
        ------
        ExportError
            naming the option that cannot be used
        """
        names = ("learner", "strategy", "group")
        choices = {name: getattr(self, name) for name in names}
        try:
            return Preferences.model_validate(choices)
        except ValidationError as error:
            message = f"--{setting_faults(error)[0]}"
            raise ExportError(message) from error


def run(settings: Settings, wishes: SimulateOptions) -> None:
    """Replay a project, and print what came of it."""
    preferences, output = wishes.preferences(), wishes.output
    if output is not None:
        check_plot(output)
    with _origin(settings, wishes) as origin:
        subject = origin.subject(preferences)
    _check_wishes(subject, wishes)
    console = Console(stderr=True)
    introduce(subject, console)
    material = _material(subject, preferences, wishes)
    jobs = _jobs(material, wishes)
    kept_runs = KeptRuns.of(material, settings.data_dir / KEPT)
    runs = carry_out_telling(material, kept_runs, jobs, console)
    outcome = _outcome(subject, wishes, runs)
    if output is not None:
        save_plot(outcome, output)
    if wishes.as_json:
        Console().out(orjson.dumps(outcome.as_json()).decode(), highlight=False)
    else:
        Console().print(table(outcome))


def _check_wishes(subject: Dataset, wishes: SimulateOptions) -> None:
    """Raise `ExportError` where something is chosen that stretches do not use."""
    usual = SimulateOptions()
    for name in ("learner", "strategy") if subject.parts else ():
        choice = getattr(wishes, name)
        if choice != getattr(usual, name):
            message = (
                f"the labels of {subject.name!r} are stretches, which are learnt and"
                f" asked for in a way of their own: leave out --{name} {choice}"
            )
            raise ExportError(message)


@contextmanager
def _origin(settings: Settings, wishes: SimulateOptions) -> Iterator[Source]:
    """Open what is to be replayed."""
    if wishes.file is not None and wishes.project is None:
        yield _from_file(wishes.file, wishes)
    elif wishes.project is not None and wishes.file is None:
        with _from_project(settings, wishes.project, wishes.question) as origin:
            yield origin
    else:
        message = "give a FILE or a --project to simulate, and not both"
        raise ExportError(message)


def _from_file(path: Path, wishes: SimulateOptions) -> Source:
    """Read an export, which its label config explains."""
    if wishes.config is None:
        read_file(path)  # a misspelt name of a file is the first thing to correct
        message = (
            f"{path} does not tell what the project asks: give its label config with"
            " --config (Label Studio shows it under Settings, Labeling Interface, Code)"
        )
        raise ExportError(message)
    if wishes.files is not None and not wishes.files.is_dir():
        message = f"there is no directory {wishes.files}, which --files names"
        raise ExportError(message)
    label_config = _label_config(wishes.config)
    schema = _schema(label_config, wishes.question)
    return Source(
        name=path.stem,
        export=read_export(path, Question.of(schema, label_config)),
        schema=schema,
        files=LocalFiles(wishes.files or path.parent, hint=FILES_HINT),
    )


def _schema(label_config: str, question: str) -> Schema:
    """Return the question that is replayed: the named one, or the first."""
    [first, *_] = read_questions(label_config).learnt([question] if question else [])
    return first


def _label_config(path: Path) -> str:
    """Return the label config in a file, in UTF-8 or another encoding of Unicode."""
    content = read_file(path)
    try:
        return as_utf8(content).decode()
    except UnicodeDecodeError:
        return content.decode(errors="replace")


@contextmanager
def _from_project(settings: Settings, project: int, question: str) -> Iterator[Source]:
    """Read a project of the running Label Studio."""
    url, key = settings.label_studio_url, settings.label_studio_key
    with closing(LabelStudioClient.open(url, key)) as client:
        record = client.project(project)
        tasks = [task for page in client.tasks(project) for task in page.tasks]
        tasks.sort(key=lambda task: task.id)
        with closing(Files.open(client.access, url, settings.file_hosts)) as files:
            yield Source(
                name=record.title or str(project),
                export=Export(tasks, client.annotations(project)),
                schema=_schema(record.label_config, question),
                files=files,
            )


def _material(
    subject: Dataset, preferences: Preferences, wishes: SimulateOptions
) -> Experiment:
    """Decide on the budget; raise `ExportError` if there is too little to replay."""
    labelled, groups = subject.labelled, subject.groups
    try:
        parts = [split_by(labelled, groups, seed) for seed in range(wishes.seeds)]
    except TooFewLabelsError as error:
        message = f"{subject.name!r} cannot be simulated: {error}"
        raise ExportError(message) from error
    pool = min(len(part.pool) for part in parts)  # whole groups differ in size
    usual = usual_budget(pool, labelled.n_classes)
    return Experiment(
        labelled=labelled,
        groups=groups,
        preferences=preferences,
        budget=min(wishes.budget or usual, pool),
    )


def _jobs(material: Experiment, wishes: SimulateOptions) -> list[Job]:
    """Return a run of each strategy for each seed, and one with all labels."""
    sparse, mark = -(-material.budget // MOST_SCORES), arithmetic_mark(wishes.learner)
    contestants = [
        StrategyRun(
            name=name,
            strategy=strategy,
            learner=wishes.learner,
            mark=mark,
            every=sparse if name == RANDOM else 1,
        )
        for name, strategy in STRATEGIES.items()
    ]
    everything = StrategyRun(
        name=EVERYTHING, strategy=None, learner=wishes.learner, mark=mark
    )
    every = (*contestants, everything)
    return [
        Job(contestant, seed) for seed in range(wishes.seeds) for contestant in every
    ]


def _outcome(
    subject: Dataset, wishes: SimulateOptions, runs: Mapping[Job, Run]
) -> Outcome:
    def of(contestant: str) -> Sequence[Run]:
        return [run for job, run in runs.items() if job.contestant.name == contestant]

    full = np.array([run.main for run in of(EVERYTHING)], dtype=np.float64)
    return Outcome(
        dataset=subject.name,
        learner=wishes.learner,
        seeds=wishes.seeds,
        full=float(full.mean()),
        strategies={each: Curves.of(of(each)) for each in STRATEGIES},
        parts=subject.parts,
    )
