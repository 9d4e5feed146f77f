"""Learning curves as a picture."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import ExportError
from backend.replay.outcome import ARRIVED

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from backend.replay.outcome import Outcome

ENDINGS = (".png", ".svg")
COLOURS = ("#d1495b", "#4d4d4d", "#2e86ab", "#3d9970", "#edae49", "#7768ae")
SIZE_INCHES = (8.0, 5.0)
DOTS_PER_INCH = 150
UNDATED = {".svg": {"Date": None}, ".png": {"Software": None}}
"""Equal runs give equal files."""


def check_plot(path: Path) -> None:
    """Raise `ExportError` if no picture can be written there: before any work."""
    if path.suffix.lower() not in ENDINGS:
        message = f"{path} is neither a .png nor a .svg: name one of these"
        raise ExportError(message)
    if not path.absolute().parent.is_dir():
        message = f"there is no directory {path.parent} to write {path.name} to"
        raise ExportError(message)
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415  # an extra: it may be missing
    except ImportError as error:
        message = "pictures need matplotlib: run `pip install 'dubito[plot]'`"
        raise ExportError(message) from error


def save_plot(outcome: Outcome, path: Path) -> None:
    """Draw the accuracy of each strategy against the number of labels."""
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    from matplotlib import rc_context  # noqa: PLC0415  # an extra: it may be missing
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context({"svg.hashsalt": "dubito"}):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        _draw(outcome, figure.subplots())
        ending = path.suffix.lower()
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata=UNDATED[ending])


def _draw(outcome: Outcome, axes: Axes) -> None:
    labels = np.arange(1, outcome.budget + 1)
    for (name, curves), colour in zip(
        outcome.strategies.items(), COLOURS, strict=False
    ):
        mean, spread = (
            100 * curves.accuracy[: len(labels)],
            100 * curves.spread[: len(labels)],
        )
        axes.plot(labels, mean, color=colour, label=name)
        axes.fill_between(
            labels, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0
        )
    level = 100 * ARRIVED * outcome.full
    axes.axhline(
        level, color="#999999", linestyle="--", label="95 % of what all labels give"
    )
    axes.set(
        title=f"{outcome.dataset}: {outcome.seeds} seeds, learner {outcome.learner}",
        xlabel="labels",
        ylabel="accuracy on tasks kept back, %",
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
