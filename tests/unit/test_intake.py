"""Tasks are read once, and again only when they would be read differently."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
from redis import Redis

from dubito.backend.data_kinds.images import IMAGES
from dubito.backend.data_kinds.pdfs import PDFS
from dubito.backend.data_kinds.recordings import RECORDINGS
from dubito.backend.data_kinds.texts import TEXTS
from dubito.backend.features.feature_table import FIT_ON, FeatureTable
from dubito.backend.features.ingest import SAMPLE, Ingest
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.backend.project_settings import Preferences
from dubito.backend.records import Task
from dubito.backend.state.pool import Pool
from dubito.backend.state.project import ProjectState
from dubito.model.query.seed_set import permutation
from tests.builders import KEY, channels, schema


@pytest.fixture
def ingest(redis: Redis) -> Iterator[Ingest]:
    """Read texts; files would come from a Label Studio that is not there."""
    client = LabelStudioClient.open("http://127.0.0.1:9", "key")
    files = Files.open(client.access, client.url, [])
    state = ProjectState(redis, KEY)
    yield Ingest(state=state, schema=schema(), preferences=Preferences(), files=files)
    files.close()
    client.close()


def receive(ingest: Ingest, *texts: object, first: int = 1) -> None:
    tasks = [Task(id=n, data={"text": t}) for n, t in enumerate(texts, start=first)]
    ingest.state.tasks.receive(tasks)


def test_a_change_of_the_featuriser_makes_all_readings_stale(ingest: Ingest) -> None:
    receive(ingest, *(f"some words about {n}" for n in range(9)))
    ingest.take()
    assert not ingest.is_stale()

    newer = replace(ingest, version=ingest.version + 1)

    assert newer.is_stale()


def test_a_newer_version_of_a_kind_makes_its_readings_stale_alone(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(ingest, *(f"some words about {n}" for n in range(9)))
    ingest.take()

    monkeypatch.setattr(IMAGES, "version", IMAGES.version + 1)
    assert not ingest.is_stale()
    monkeypatch.setattr(TEXTS, "version", TEXTS.version + 1)
    assert ingest.is_stale()


def test_what_belongs_together_is_kept_with_what_was_read(ingest: Ingest) -> None:
    known = Task(id=1, data={"text": "one walk", "who": "Ada"})
    ingest.state.tasks.receive([known, Task(id=2, data={"text": "two walks"})])

    replace(ingest, preferences=Preferences(group="who")).take()

    assert ingest.state.groups.all() == {1: "Ada"}


def test_a_kind_that_is_described_anew_makes_only_its_own_readings_stale(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(ingest, *(f"some words about {n}" for n in range(9)))
    ingest.take()

    monkeypatch.setattr(type(RECORDINGS), "version", RECORDINGS.version + 1)
    assert not ingest.is_stale()
    monkeypatch.setattr(type(TEXTS), "version", TEXTS.version + 1)
    assert ingest.is_stale()


def test_what_could_not_be_read_before_is_read_anew(ingest: Ingest) -> None:
    """An older Dubito, or one without the library, used what is beside a video."""
    tasks = [Task(id=n, data={"clip": f"/{n}.mp4", "x": n / 2}) for n in range(1, 9)]
    ingest.state.tasks.receive(tasks)
    read = schema(tag="Video", key="clip", is_address=True)
    unread = replace(read, is_address=False, unread="<Video>")
    replace(ingest, schema=unread).take()
    assert not replace(ingest, schema=unread).is_stale()

    assert replace(ingest, schema=read).is_stale()


def test_many_texts_are_read_some_at_a_time(ingest: Ingest) -> None:
    """Each takes milliseconds, and the first round is not to wait for all of them."""
    receive(ingest, *(f"text {n % 5}" for n in range(2 * SAMPLE + 1)))

    assert [ingest.take() for _ in range(4)] == [SAMPLE, SAMPLE, 1, 0]
    assert ingest.state.tasks.pool().vectors.shape == (2 * SAMPLE + 1, 512)


CHANGES: Mapping[str, Callable[[Ingest], Ingest]] = {
    "features": lambda one: replace(one, preferences=Preferences(features=("other",))),
    "group": lambda one: replace(one, preferences=Preferences(group="person")),
    "tag": lambda one: replace(one, schema=schema(tag="Table")),
    "channels": lambda one: replace(
        one, schema=replace(schema(), channels=channels("a"))
    ),
    "encoding": lambda one: replace(one, schema=replace(schema(), encoding="base64")),
    "another object": lambda one: replace(
        one, schema=replace(schema(), others=(schema(tag="Image", key="photo"),))
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_asks_for_other_readings_makes_them_stale(
    ingest: Ingest, change: Callable[[Ingest], Ingest]
) -> None:
    receive(ingest, *(f"some words about {n}" for n in range(9)))
    ingest.take()

    assert change(ingest).is_stale()


def test_readings_of_one_text_are_stale_where_texts_had_no_vectors(
    ingest: Ingest,
) -> None:
    """What decides is written as before, beside the version of the kind."""
    receive(ingest, *(f"some words about {n}" for n in range(9)))
    ingest.take()

    reads = ingest.state.facts().reads
    assert reads is not None
    shown = ("Text", "", "text", channels(separator=","), (False, ""))
    before = (ingest.version, shown, ((), ""))
    assert reads.basis == repr((*before, TEXTS.version))
    old = reads.model_copy(update={"basis": repr(before)})
    ingest.state.note(reads=old)
    assert ingest.is_stale()


def test_readings_of_pdfs_are_stale_where_no_page_was_looked_at(
    ingest: Ingest,
) -> None:
    """An older Dubito read their texts, and set scans aside."""
    shown = schema(tag="Pdf", key="doc", is_address=True)
    pdfs = replace(ingest, schema=shown)
    tasks = [Task(id=n, data={"doc": f"/{n}.pdf"}) for n in range(1, 9)]
    pdfs.state.tasks.receive(tasks)
    pdfs.take()
    assert not pdfs.is_stale()

    reads = pdfs.state.facts().reads
    assert reads is not None
    assert reads.kind == "pdf"
    basis = reads.basis.replace(f" {PDFS.version})", f" {TEXTS.version})")
    pdfs.state.note(reads=reads.model_copy(update={"basis": basis}))
    assert pdfs.is_stale()


def test_a_decision_on_a_few_tasks_is_made_anew_with_many(ingest: Ingest) -> None:
    receive(ingest, *(f"some words about {n}" for n in range(3)))
    ingest.take()
    receive(ingest, *(f"more words about {n}" for n in range(9)), first=4)

    assert ingest.is_stale()


def pool(texts: Mapping[int, str]) -> Pool:
    return Pool(
        task_ids=np.array(sorted(texts), dtype=np.int64),
        columns=(),
        numbers=np.zeros((len(texts), 0), dtype=np.float32),
        texts=tuple(texts[task] for task in sorted(texts)),
    )


@pytest.mark.slow
def test_a_new_text_costs_no_new_vocabulary_while_the_sample_is_the_same() -> None:
    texts = {n: f"{n % 7} bottles on wall {n % 11}" for n in range(FIT_ON + 50)}
    last = int(permutation(np.array(sorted(texts), dtype=np.int64), 0)[-1])
    known = {task: text for task, text in texts.items() if task != last}

    before = FeatureTable.of(pool(known), 0)
    after = FeatureTable.of(pool(texts), 0, before)

    assert after.featuriser.wordings is not None
    assert before.featuriser.wordings is not None
    assert after.featuriser.wordings.embedding is before.featuriser.wordings.embedding
    assert (
        after.features.tobytes() == FeatureTable.of(pool(texts), 0).features.tobytes()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "texts",
    [
        {1: "a b", 2: "b c", 3: "c d", 4: "new"},
        {1: "a b", 2: "b c"},
        {1: "a b", 2: "b c", 3: "other words"},
    ],
)
def test_what_was_known_before_changes_nothing(texts: Mapping[int, str]) -> None:
    """Law 5: another worker has never seen the project."""
    before = FeatureTable.of(pool({1: "a b", 2: "b c", 3: "c d"}), 0)

    table = FeatureTable.of(pool(texts), 0, before)

    assert (
        table.features.tobytes() == FeatureTable.of(pool(texts), 0).features.tobytes()
    )
