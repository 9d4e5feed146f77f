"""Whether a label is ever lost: the loop's state machine, for as long as you like.

Run from the root of the repository:

    python -m tests.benchmarks.lost_labels --minutes 20
"""

import logging
import time

import click

from tests.loop_machine import Loop, over, whatever_happens
from tests.quick_learner import quick_learner_installed
from tests.store import store_running

RUNS_AT_ONCE = 10


def line(machine: type[Loop], seconds: float) -> str:
    """Return what has happened so far."""
    done = ", ".join(f"{count} {what}" for what, count in machine.done.most_common())
    return f"{seconds / 60:.0f} min: {done}"


@click.command()
@click.option("--minutes", default=20.0, show_default=True)
@click.option("--steps", default=20, show_default=True, help="At most so many a run.")
def main(minutes: float, steps: int) -> None:
    """Let chance choose what happens; stop at the first thing that is not right."""
    logging.disable(logging.WARNING)
    with store_running() as url, quick_learner_installed():
        machine, began = over(url), time.monotonic()
        while time.monotonic() - began < 60 * minutes:
            whatever_happens(machine, RUNS_AT_ONCE, steps, is_chance=True)
            click.echo(line(machine, time.monotonic() - began))


if __name__ == "__main__":
    main()
