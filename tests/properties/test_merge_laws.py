"""No annotation is lost or counted twice, whatever happens to the webhooks.

Nor when Label Studio is restored from a backup and gives its numbers again, nor when
its clock is wrong.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from dubito.backend.connection.event_handlers import record
from dubito.backend.connection.events import (
    AnnotationsDeleted,
    AnnotationsSaved,
    parse_event,
)
from dubito.backend.learning.labels import derive_labels
from dubito.backend.records import Annotation, JsonObject
from dubito.backend.services import Services
from tests.builders import (
    BORN,
    KEY,
    annotation,
    event,
    machine_made,
    project,
    saved,
    schema,
)
from tests.examples import examples

Held = dict[int, Annotation]
Snapshot = tuple[int, list[Annotation]]
LABELS_OF_OURS = st.sampled_from(["a", "b"])


class Deliveries(RuleBasedStateMachine):
    """A Label Studio, the events it sends, and what becomes of them.

    Events are kept in a bundle: they may be delivered late, in any order, many times
    or never. Snapshots are read at one moment and merged at a later one.
    """

    services: Services
    events = Bundle("events")
    snapshots = Bundle("snapshots")
    backups = Bundle("backups")

    @initialize()
    def begin(self) -> None:
        self.services.redis.flushall()
        self.services.projects.add(KEY)
        self.state = self.services.projects.at(KEY)
        self.held: Held = {}
        self.minute = 1_000
        self.last = 0
        self.dead: set[int] = set()
        self.expected: Held = {}
        self.arrivals = 0
        self.as_of: dict[int, int] = {}

    def _changed(
        self, number: int, task: int, choice: str | None, ours: str = ""
    ) -> Annotation:
        self.minute += 1
        result = machine_made(ours) if ours else choice
        before = self.held.get(number)
        made_at = BORN + timedelta(minutes=self.minute)
        born = made_at if before is None else before.created_at
        answer = annotation(
            number, result, task=task, minute=self.minute, created_at=born
        )
        self.held[number] = answer
        return answer

    @rule(minutes=st.sampled_from([-500, -3, 3, 500, 10**8]))
    def set_the_clock(self, minutes: int) -> None:
        self.minute = min(max(1, self.minute + minutes), 1_000 + 10**8)

    @rule(target=backups)
    def back_up(self) -> tuple[Held, int]:
        return dict(self.held), self.last

    @rule(backup=backups)
    def restore(self, backup: tuple[Held, int]) -> None:
        """Bring back what there was: later answers are gone, numbers given again."""
        backup_copy, self.last = backup
        self.held = dict(backup_copy)

    @rule(
        target=events, task=st.integers(1, 4), choice=st.sampled_from(["a", "b", None])
    )
    def submit(self, task: int, choice: str | None) -> JsonObject:
        self.last += 1
        answer = self._changed(self.last, task, choice)
        return event("ANNOTATION_CREATED", annotation=answer.model_dump(mode="json"))

    @rule(
        target=events,
        tasks=st.sets(st.integers(1, 4), min_size=1),
        label=LABELS_OF_OURS,
    )
    def label_the_rest(self, tasks: set[int], label: str) -> JsonObject:
        """Give tasks labels of ours; a person may change them like any other."""
        ids = []
        for task in tasks:
            self.last += 1
            answer = self._changed(self.last, task, None, ours=label)
            ids.append(answer.model_dump(mode="json"))
        return event("ANNOTATIONS_CREATED", annotation=ids)

    @rule(target=events, data=st.data(), choice=st.sampled_from(["a", "b", None]))
    def change(self, data: st.DataObject, choice: str | None) -> JsonObject:
        if not self.held:
            return event("START_TRAINING")
        number = data.draw(st.sampled_from(sorted(self.held)))
        answer = self._changed(number, self.held[number].task, choice)
        return event("ANNOTATION_UPDATED", annotation=answer.model_dump(mode="json"))

    @rule(target=events, data=st.data())
    def delete(self, data: st.DataObject) -> JsonObject:
        if not self.held:
            return event("START_TRAINING")
        numbers = data.draw(st.sets(st.sampled_from(sorted(self.held)), min_size=1))
        for number in numbers:
            del self.held[number]
        return event("ANNOTATIONS_DELETED", annotations=[{"id": n} for n in numbers])

    @rule(sent=events)
    def deliver(self, sent: JsonObject) -> None:
        """Let an event arrive; it stays where it was, and may arrive again."""
        what = parse_event(sent)
        record(what, self.services)
        if isinstance(what.what, AnnotationsSaved):
            self._expect(what.what.annotations)
        elif isinstance(what.what, AnnotationsDeleted):
            self._expect_gone(what.what.ids)

    def _expect(self, answers: Iterable[Annotation]) -> None:
        """Expect the later of two answers, and none that was deleted."""
        for one in answers:
            if one == self.expected.get(one.id):
                continue
            self.arrivals += 1
            if self._is_believed(one):
                self.expected[one.id] = one
                self.as_of[one.id] = self.arrivals

    def _is_believed(self, one: Annotation) -> bool:
        stored = self.expected.get(one.id, one)
        is_same = stored.created_at == one.created_at
        return one.id not in self.dead and one.stamp >= stored.stamp and is_same

    def _expect_gone(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.arrivals += 1
            self.dead.add(number)
            self.expected.pop(number, None)
            self.as_of[number] = self.arrivals

    def _expect_shown(self, began: int, annotations: Iterable[Annotation]) -> None:
        """Expect what a look shows, but of what arrived later the later of the two."""
        shown = {one.id: one for one in annotations}
        for number, one in shown.items():
            if self.as_of.get(number, 0) <= began:
                self.dead.discard(number)
                self.expected[number] = one
                self.as_of[number] = began
            elif self._is_believed(one):
                self.expected[number] = one
        for number in self.expected.keys() - shown.keys():
            if self.as_of[number] <= began:
                self.dead.add(number)
                self.as_of[number] = began
                del self.expected[number]

    @rule(sent=consumes(events))
    def lose(self, sent: JsonObject) -> None:
        """Let an event never arrive."""

    @rule(target=snapshots)
    def read(self) -> Snapshot:
        """Read a snapshot: the number of the look, and what it shows."""
        self.arrivals += 1
        return self.state.arrivals.begin(), list(self.held.values())

    @rule(snapshot=consumes(snapshots))
    def merge(self, snapshot: Snapshot) -> None:
        began, annotations = snapshot
        self.state.annotations.merge(began, annotations)
        self._expect_shown(began, annotations)

    @rule(task=st.integers(1, 4))
    def submit_while_a_snapshot_is_read(self, task: int) -> None:
        snapshot = self.read()
        self.deliver(self.submit(task, "a"))
        self.merge(snapshot)

    @invariant()
    def nothing_is_lost_counted_twice_or_brought_back(self) -> None:
        if hasattr(self, "state"):
            kept = self.state.annotations.all()
            assert kept == sorted(self.expected.values(), key=lambda one: one.id)

    @invariant()
    def labels_of_ours_teach_nothing(self) -> None:
        if hasattr(self, "state"):
            kept = self.state.annotations.all()
            people = [one for one in kept if not one.is_ours]
            labels_of_kept, labels_of_people = (
                derive_labels(some, schema(), project()) for some in (kept, people)
            )
            assert (labels_of_kept.chosen, labels_of_kept.votes) == (
                labels_of_people.chosen,
                labels_of_people.votes,
            )
            assert (labels_of_kept.skipped, labels_of_kept.set_aside) == (
                labels_of_people.skipped,
                labels_of_people.set_aside,
            )
            assert labels_of_kept.closed == labels_of_people.closed | {
                a.task for a in kept if a.is_ours
            }

    def teardown(self) -> None:
        """After a last snapshot we hold what Label Studio holds."""
        if not hasattr(self, "state"):
            return
        self.merge(self.read())
        kept = {one.id: one for one in self.state.annotations.all()}
        assert kept == self.held
        want = self.state.work.requested()
        self.merge(self.read())
        assert self.state.work.requested() == want, (
            "nothing new, yet a round is asked for"
        )


@contextmanager
def over(services: Services) -> Iterator[type[Deliveries]]:
    yield type("Deliveries", (Deliveries,), {"services": services})


def test_after_a_snapshot_we_hold_what_label_studio_holds(services: Services) -> None:
    with over(services) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(examples(30), stateful_step_count=30),
        )


@pytest.mark.parametrize("late", ["a creation", "a change"])
def test_an_event_that_comes_after_all_is_corrected_by_the_next_snapshot(
    services: Services, redis: Redis, late: str
) -> None:
    """Its deletion was lost, and so was every trace of it."""
    assert redis.dbsize() == 0
    state = services.projects.at(KEY)
    state.annotations.merge(state.arrivals.begin(), [])

    state.annotations.save([annotation(1, minute=1 if late == "a creation" else 2)])
    state.annotations.merge(state.arrivals.begin(), [])

    assert state.annotations.ids() == set()


def test_a_time_of_the_future_hides_no_later_answer(services: Services) -> None:
    """Label Studio's clock was a day ahead, or somebody made the event up."""
    state = services.projects.at(KEY)
    services.projects.add(KEY)
    ahead = annotation(1, "a", updated_at="2199-01-01T00:00:00Z")
    record(parse_event(saved(ahead)), services)

    corrected = annotation(1, "b", minute=5)
    record(parse_event(saved(corrected)), services)

    assert "changes" in state.work.requests(), "nobody looks which of them is true"
    state.annotations.merge(state.arrivals.begin(), [corrected])
    assert state.annotations.all() == [corrected]
