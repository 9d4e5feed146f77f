"""How quick the parts of a round are.

Run from the root of the repository:

    python tests/benchmarks/learning.py
"""

import time
from collections.abc import Iterator

import click
import numpy as np

from dubito.model.arrays import Codes, Features
from dubito.model.learners.registry import learner, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.diversity import spread
from dubito.model.query.ranking import certainty_order
from dubito.model.query.seed_set import StartPlan, start_order, tie_breaker
from dubito.model.query.uncertainty import doubt


@click.command()
@click.option("--labels", default=200, show_default=True)
def speed(labels: int) -> None:
    """Print the seconds of processor time that the parts of a round take."""
    rng = np.random.default_rng(0)
    click.echo(f"{'tasks':>8} {'start':>8} {'fit':>8} {'predict':>8} {'order':>8}")
    for n in (2_000, 20_000):
        features = rng.normal(size=(n, 64)).astype(np.float32)
        codes = np.arange(n) % 7
        features[:, 0] += 3 * codes
        click.echo(f"{n:>8} " + " ".join(_seconds(features, codes, labels)))


def _seconds(features: Features, codes: Codes, labels: int) -> Iterator[str]:
    ids = np.arange(len(features))
    clock = [time.process_time()]
    start_order(features, ids, StartPlan(centres=7, random=7, length=14), seed=0)
    clock.append(time.process_time())
    informed = within(learner("auto", 0), UnlabelledContext(features))
    fitted = informed.fit(features[:labels], codes[:labels], 7)
    clock.append(time.process_time())
    probabilities = fitted.predict(features)
    clock.append(time.process_time())
    order = certainty_order(doubt("margin", probabilities), tie_breaker(ids, 0))
    spread(order, features, 20)
    clock.append(time.process_time())
    yield from (f"{seconds:8.3f}" for seconds in np.diff(clock))


if __name__ == "__main__":
    speed()
