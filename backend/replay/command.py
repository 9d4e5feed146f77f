"""`dubito simulate`: read, replay, say what came of it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
from rich.console import Console

from backend.errors import ExportError
from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.config import read_schema
from backend.labelstudio.files import Files
from backend.learning.preferences import read_preferences
from backend.replay.exports import Export, read_export, read_file
from backend.replay.files import LocalFiles
from backend.replay.inference import infer_schema
from backend.replay.outcome import Curves, Outcome
from backend.replay.plot import check_plot, save_plot
from backend.replay.report import carry_out_telling, introduce, table
from backend.replay.runs import Contestant, Job, Material, usual_budget
from backend.replay.subject import Origin
from backend.replay.workers import KeptRuns, arithmetic_mark
from model.errors import TooFewLabelsError
from model.holdout import split
from model.simulation import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from backend.learning.preferences import Preferences
    from backend.replay.runs import Run
    from backend.replay.subject import Subject
    from backend.settings import Settings

KEPT = "simulations"
MOST_SCORES = 200
"""So many points of the random curve are measured; the others lie between them."""

RANDOM = "random"
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asks for.

    Attributes
    ----------
    file, project : what to replay: one of them
    config, files : of a file: its label config, and where its tasks' files lie
    budget : None for what is usual for a project of this size
    strategy : how certainty is measured
    group : key of the tasks' data
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
    output: Path | None = None
    as_json: bool = False

    def preferences(self) -> Preferences:
        """Return the service's defaults, with what was chosen."""
        names = ("learner", "strategy", "group")
        return read_preferences({name: getattr(self, name) for name in names})


def run(settings: Settings, wishes: Wishes) -> None:
    """Replay a project, and print what came of it."""
    chosen, output = wishes.preferences(), wishes.output
    if output is not None:
        check_plot(output)
    with _origin(settings, wishes) as origin:
        subject = origin.subject(chosen)
    told = Console(stderr=True)
    introduce(subject, told)
    material = _material(subject, chosen, wishes)
    jobs = _jobs(material, wishes)
    kept = KeptRuns.of(material, settings.data_dir / KEPT)
    outcome = _outcome(
        subject.name, wishes, carry_out_telling(material, kept, jobs, told)
    )
    if output is not None:
        save_plot(outcome, output)
    if wishes.as_json:
        Console().out(orjson.dumps(outcome.as_json()).decode(), highlight=False)
    else:
        Console().print(table(outcome))


@contextmanager
def _origin(settings: Settings, wishes: Wishes) -> Iterator[Origin]:
    """Open what is to be replayed."""
    if wishes.file is not None and wishes.project is None:
        yield _from_file(wishes.file, wishes.config, wishes.files)
    elif wishes.project is not None and wishes.file is None:
        with _from_project(settings, wishes.project) as origin:
            yield origin
    else:
        message = "say what to simulate: a FILE or a --project"
        raise ExportError(message)


def _from_file(path: Path, config: Path | None, directory: Path | None) -> Origin:
    """Read an export; what it is about is told by the config, or by itself."""
    export, files = read_export(path), LocalFiles(directory or path.parent)
    if config is None:
        schema = infer_schema(export, files.fetch)
    else:
        schema = read_schema(read_file(config).decode(errors="replace"))
    return Origin(name=path.stem, export=export, schema=schema, files=files)


@contextmanager
def _from_project(settings: Settings, project: int) -> Iterator[Origin]:
    """Read a project of the running Label Studio."""
    url, key = settings.label_studio_url, settings.label_studio_key
    with closing(LabelStudioClient.open(url, key)) as client:
        found = client.project(project)
        tasks = [task for page in client.tasks(project) for task in page.tasks]
        tasks.sort(key=lambda task: task.id)
        with closing(Files.open(client.access, url, settings.file_hosts)) as files:
            yield Origin(
                name=found.title or str(project),
                export=Export(tasks, client.annotations(project)),
                schema=read_schema(found.label_config),
                files=files,
            )


def _material(subject: Subject, chosen: Preferences, wishes: Wishes) -> Material:
    """Decide on the budget; raise `ExportError` if there is too little to replay."""
    labelled, groups = subject.labelled, subject.groups
    try:
        parts = [split(labelled.codes, seed, groups) for seed in range(wishes.seeds)]
    except TooFewLabelsError as error:
        message = f"{subject.name} cannot be simulated: {error}"
        raise ExportError(message) from error
    pool = min(len(part.pool) for part in parts)  # whole groups differ in size
    usual = usual_budget(pool, labelled.n_classes)
    return Material(
        labelled=labelled,
        groups=groups,
        preferences=chosen,
        budget=min(wishes.budget or usual, pool),
    )


def _jobs(material: Material, wishes: Wishes) -> list[Job]:
    """Return a run of each strategy for each seed, and one with all labels."""
    sparse, mark = -(-material.budget // MOST_SCORES), arithmetic_mark(wishes.learner)
    contestants = [
        Contestant(
            name=name,
            strategy=strategy,
            learner=wishes.learner,
            mark=mark,
            every=sparse if name == RANDOM else 1,
        )
        for name, strategy in STRATEGIES.items()
    ]
    everything = Contestant(
        name=EVERYTHING, strategy=None, learner=wishes.learner, mark=mark
    )
    every = (*contestants, everything)
    return [
        Job(contestant, seed) for seed in range(wishes.seeds) for contestant in every
    ]


def _outcome(name: str, wishes: Wishes, runs: Mapping[Job, Run]) -> Outcome:
    def of(contestant: str) -> Sequence[Run]:
        return [run for job, run in runs.items() if job.contestant.name == contestant]

    full = np.array([run.accuracy for run in of(EVERYTHING)], dtype=np.float64)
    return Outcome(
        dataset=name,
        learner=wishes.learner,
        seeds=wishes.seeds,
        full=float(full.mean()),
        strategies={each: Curves.of(of(each)) for each in STRATEGIES},
    )
