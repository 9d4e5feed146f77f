"""Runs on all cores, each kept as soon as it is done."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.metadata import entry_points, version
from importlib.resources import files
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dubito.backend.errors import BackendError
from dubito.backend.simulate.runs import Run, carry_out
from dubito.model.learners.registry import GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from importlib.resources.abc import Traversable
    from multiprocessing.sharedctypes import Synchronized
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from dubito.backend.simulate.runs import Experiment, Job

LOOK_SECONDS = 0.2
ARITHMETIC = ("numpy", "scipy", "scikit-learn")

_ticks: list[Synchronized[int]] = []
"""A worker's own: an executor has no other way to show it what is shared."""


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """The runs of one material, in a directory of their own."""

    directory: Path

    @classmethod
    def of(cls, material: Experiment, root: Path) -> KeptRuns:
        """Find the place of what comes of this material."""
        digest = blake2b(digest_size=12)
        labelled, groups = material.labelled, material.groups
        arrays: list[NDArray[np.generic]] = [
            labelled.features,
            labelled.codes,
            labelled.task_ids,
        ]
        if labelled.marked is not None:
            units = labelled.marked.units
            arrays += [units.features, units.ends, labelled.marked.members]
        for array in arrays:
            digest.update(repr((array.shape, array.dtype)).encode())
            digest.update(array.tobytes())
        digest.update(b"" if groups is None else groups.tobytes())
        digest.update(repr((material.preferences, material.budget)).encode())
        sizes = labelled.may_be_empty, labelled.most_chosen
        kind = sizes, labelled.is_ordered, labelled.of_pairs
        digest.update(repr((labelled.n_classes, labelled.views, kind)).encode())
        return cls(root / digest.hexdigest())

    def load(self, job: Job) -> Run | None:
        """Return what came of a job, if it was done before."""
        try:
            return Run.model_validate_json(self._path(job).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as error:
            message = f"Dubito cannot read {self.directory}: {error.strerror}"
            raise BackendError(message) from error

    def save(self, job: Job, run: Run) -> None:
        """Keep what came of a job: whole, or not at all."""
        path = self._path(job)
        part = path.with_suffix(".part")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            part.write_text(run.model_dump_json())
            part.replace(path)
        except OSError as error:
            message = f"Dubito cannot write to {self.directory}: {error.strerror}"
            raise BackendError(message) from error

    def _path(self, job: Job) -> Path:
        return self.directory / f"{job.name}.json"


def code_mark(*modules: Traversable) -> str:
    """Return a mark of modules, and of the libraries they compute with."""
    digest = blake2b(digest_size=6)
    for module in sorted(modules, key=lambda path: path.name):
        digest.update(module.read_bytes())
    digest.update(repr([version(package) for package in ARITHMETIC]).encode())
    return digest.hexdigest()


def arithmetic_mark(learner: str) -> str:
    """Return a mark of all that a run of ours depends on beside its material.

    Features are a part of the material: how they were made does not matter.
    """
    modules = modules_of(files("dubito.model"))
    sources = [
        (entry.value, entry.dist and entry.dist.version)
        for entry in entry_points(group=GROUP, name=learner)
    ]
    parts = (code_mark(*modules), sources)
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def modules_of(package: Traversable) -> list[Traversable]:
    """Return all modules of a package, those of packages inside it, too, in order."""
    entries = sorted(package.iterdir(), key=lambda path: path.name)
    inside = [one for each in entries if each.is_dir() for one in modules_of(each)]
    return [*(one for one in entries if one.name.endswith(".py")), *inside]


@dataclass(slots=True, kw_only=True)
class ProcessPool:
    """Carries out jobs, as many at a time as there are workers.

    Attributes
    ----------
    tell : is told again and again how many labels were given, in all jobs together
    """

    material: Experiment
    kept_runs: KeptRuns
    workers: int
    tell: Callable[[int], None]
    _done: dict[Job, Run] = field(default_factory=dict)

    def carry_out(self, jobs: Sequence[Job]) -> dict[Job, Run]:
        """Return what comes of each job; what was kept is not done again."""
        runs = {job: self.kept_runs.load(job) for job in jobs}
        self._done = {job: run for job, run in runs.items() if run is not None}
        remaining_jobs = [job for job in jobs if job not in self._done]
        if remaining_jobs:
            self._work(remaining_jobs)
        return {job: self._done[job] for job in jobs}

    def _work(self, jobs: Sequence[Job]) -> None:
        context = multiprocessing.get_context("spawn")
        ticks = context.Value("q", 0)
        workers = min(self.workers, len(jobs))
        with ProcessPoolExecutor(workers, context, _begin, (ticks,)) as pool:
            waiting = {pool.submit(_run, self.material, job): job for job in jobs}
            try:
                while waiting:
                    self._collect(waiting)
                    self.tell(ticks.value)
            except BrokenProcessPool as error:
                message = "a process was killed, probably because memory ran out"
                raise BackendError(message) from error
            finally:
                if waiting:
                    _stop(pool)

    def _collect(self, waiting: dict[Future[Run], Job]) -> None:
        futures, _ = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
        for future in futures:
            job = waiting.pop(future)
            self._done[job] = future.result()
            self.kept_runs.save(job, self._done[job])


def _begin(ticks: Synchronized[int]) -> None:
    """Prepare a worker: Ctrl-C is for the one who waits, who then ends all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _ticks.append(ticks)


def _follow_parent() -> None:
    """End this process when the one that gave it work is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _run(material: Experiment, job: Job) -> Run:
    return carry_out(material, job, _tick)


def _tick() -> None:
    (ticks,) = _ticks
    with ticks.get_lock():
        ticks.value += 1


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers in the middle of their work."""
    pool.shutdown(wait=False, cancel_futures=True)
    for process in multiprocessing.active_children():
        process.terminate()
