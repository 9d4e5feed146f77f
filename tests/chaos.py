"""People label at a steady pace while processes of Dubito are killed at random."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
from redis.exceptions import RedisError

from dubito.backend.errors import UnknownProjectError
from dubito.backend.records import Annotation
from dubito.backend.state.project import Projects
from tests.dubito_process import CLASSES, Dubito, Part, Rows
from tests.label_studio import LabelStudio
from tests.published_order import published_order, window_of

KINDS: tuple[Part, ...] = ("worker", "web", "store", "supervisor")
RESTART_SECONDS = 0.5
"""So soon an operator's supervisor, such as systemd, starts ours again."""

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 120.0


@dataclass(slots=True, kw_only=True)
class Toll:
    """What was done to Dubito, and what became of it.

    Attributes
    ----------
    answers : labels given, changed and taken back, as people did while it was killed
    lost : annotations that Dubito does not hold as Label Studio does, after quiet
    until_alive : seconds from the last kill until all parts lived, one for each quiet
    seconds : and until everything was right again
    """

    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    until_alive: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Chaos:
    """One Dubito, its Label Studio, people who label, and fate.

    Parameters
    ----------
    throttle : answers in a second
    mean_seconds : between two kills
    """

    dubito: Dubito
    label_studio: LabelStudio
    rows: Rows
    rng: random.Random
    throttle: float = 2.0
    mean_seconds: float = 4.0
    toll: Toll = field(default_factory=Toll)
    whole: dict[str, int] = field(init=False)
    last: Part = "worker"
    _due: list[Part] = field(default_factory=list)
    _given: list[tuple[int, int]] = field(default_factory=list)
    _failed: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.whole = self.processes()

    def storm(self, seconds: float) -> float:
        """Kill for so many seconds while people label; return when the last kill was.

        Every kind of process is killed in turn, in a random order.
        """
        deadline, last = time.monotonic() + seconds, time.monotonic()
        with self._people():
            while time.monotonic() < deadline:
                pause = self.rng.uniform(0.2, 2 * self.mean_seconds - 0.2)
                time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
                self._due = self._due or self.rng.sample(KINDS, len(KINDS))
                last, self.last = time.monotonic(), self._due.pop()
                self._strike(self.last)
        if self._failed:
            raise self._failed[0]
        return last

    def calm(self, since: float) -> None:
        """Let nothing more happen; note how long it takes until all is right."""
        until = since + PATIENCE_SECONDS
        while not self._lives() and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        self.toll.until_alive.append(time.monotonic() - since)
        while not self._is_right() and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        self.toll.seconds.append(time.monotonic() - since)
        self.toll.lost += len(self.differences())

    def differences(self) -> set[tuple[int, str, str]]:
        """Return each annotation that Label Studio or we hold, and not both alike."""
        return self._told() ^ self._held()

    def processes(self) -> dict[str, int]:
        """Return how many processes of each kind live."""
        return {kind: len(self.dubito.pids(kind)) for kind in KINDS}

    def _strike(self, kind: Part) -> None:
        """Kill one process of a kind or all of them; do as systemd would."""
        pids = self.dubito.pids(kind)
        if kind in {"web", "worker"} and pids and self.rng.random() < 0.5:
            with suppress(ProcessLookupError):
                os.kill(self.rng.choice(pids), signal.SIGKILL)
        else:
            pids = self.dubito.kill(kind)
        self.toll.faults[kind] += bool(pids)
        if kind == "supervisor":
            time.sleep(RESTART_SECONDS)
            self.dubito.start()

    @contextmanager
    def _people(self) -> Iterator[None]:
        """Let people label for the block, who notice nothing of our troubles."""
        ended = threading.Event()

        def label() -> None:
            rng = random.Random(self.rng.random())  # noqa: S311 - no secret
            try:
                while not ended.wait(1 / self.throttle):
                    self._answer(rng)
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                self._failed.append(error)

        thread = threading.Thread(target=label)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _answer(self, rng: random.Random) -> None:
        """Label the next task, or now and then change or take back an answer."""
        what = rng.choices(("given", "changed", "deleted"), (8, 1, 1))[0]
        if what == "given" or not self._given:
            task = self.label_studio.next_task(self.rows.project)
            assert task is not None, "all tasks are labelled: import more"
            label = self.rows.truth[task]
            self._given.append((self.label_studio.annotate(task, label), task))
            what = "given"
        elif what == "changed":
            annotation, _ = rng.choice(self._given)
            self.label_studio.update_annotation(annotation, rng.choice(CLASSES))
        else:
            annotation, _ = self._given.pop(rng.randrange(len(self._given)))
            self.label_studio.delete_annotation(annotation)
        self.toll.answers[what] += 1

    def _lives(self) -> bool:
        """Return whether all parts live, and no more than there should be."""
        try:
            health = self.dubito.http.get("/health").json()
        except (httpx.HTTPError, ValueError):
            return False
        return health["store"] == "up" and self.processes() == self.whole

    def _is_right(self) -> bool:
        """Return whether nothing is missing, and the order served is the one we say."""
        try:
            status = self.dubito.status(self.rows.project)
            differ = self.differences()
        except (httpx.HTTPError, RedisError, UnknownProjectError):
            return False
        window = window_of(status)
        if not status["settled"] or differ or not window:
            return False
        served = published_order(self.label_studio, self.rows.project)
        return served[: len(window)] == window

    def _told(self) -> set[tuple[int, str, str]]:
        tasks = self.label_studio.export(self.rows.project)
        annotations = [
            annotation for task in tasks for annotation in task["annotations"]
        ]
        return {
            _essence(Annotation.model_validate(annotation))
            for annotation in annotations
        }

    def _held(self) -> set[tuple[int, str, str]]:
        with self.dubito.store() as store:
            state = Projects(store).find(str(self.rows.project))
            return {_essence(one) for one in state.annotations.all()}


def _essence(one: Annotation) -> tuple[int, str, str]:
    values = [item["value"] for item in one.result]
    return one.id, one.stamp, str(values)
