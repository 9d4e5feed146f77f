"""Everything dies at random while people label: no label is lost, no order wrong."""

import random

import pytest

from tests.chaos import KINDS, PATIENCE_SECONDS, Chaos
from tests.dubito_process import dubito_running, rows_project
from tests.label_studio import LabelStudio
from tests.published_order import assert_order_holds, window_of

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]
STORM_SECONDS = 60.0
FIRST = 8
SEED = 20_261_122
TASKS = 300


def test_a_minute_of_random_kills_loses_no_label(
    real_label_studio: LabelStudio, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m tests.benchmarks.faults` goes on for as long as wanted."""
    rows = rows_project(real_label_studio, TASKS)
    for task in rows.tasks[:FIRST]:
        real_label_studio.annotate(task, rows.truth[task])
    url, token = real_label_studio.url, real_label_studio.token
    with dubito_running(url, token, WORKERS="2") as dubito:
        dubito.adopt(real_label_studio, rows.project)
        chaos = Chaos(
            dubito=dubito,
            label_studio=real_label_studio,
            rows=rows,
            rng=random.Random(SEED),  # noqa: S311 - no secret
        )

        chaos.calm(chaos.storm(STORM_SECONDS))

        with capsys.disabled():
            print(f"\nseed {SEED}: {chaos.toll}")  # noqa: T201 - it differs each time
        assert set(chaos.toll.faults) == set(KINDS)
        assert sum(chaos.toll.answers.values()) > STORM_SECONDS / 2
        assert chaos.differences() == set(), "labels were lost"
        assert chaos.toll.seconds[-1] < PATIENCE_SECONDS, dubito.log[-4_000:]
        assert chaos.processes() == chaos.whole, "a part is missing or left over"
        status = assert_order_holds(dubito, real_label_studio, rows.project)
        assert real_label_studio.next_task(rows.project) == window_of(status)[0]
