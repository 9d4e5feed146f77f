"""Learning curves as a picture."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.errors import ExportError
from dubito.backend.simulate.curves import ARRIVED

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from dubito.backend.simulate.curves import Outcome

ENDINGS = (".png", ".svg")
COLOURS = ("#d1495b", "#4d4d4d", "#2e86ab", "#3d9970", "#edae49", "#7768ae")
SIZE_INCHES = (8.0, 5.0)
DOTS_PER_INCH = 150
UNDATED = {".svg": {"Date": None}, ".png": {"Software": None}}
"""Equal runs give equal files."""


def check_plot(path: Path) -> None:
    """Raise `ExportError` if no picture can be written there: before any work."""
    if path.suffix.lower() not in ENDINGS:
        message = f"{path} is neither a .png nor a .svg: use one of these extensions"
        raise ExportError(message)
    if not path.absolute().parent.is_dir():
        message = f"the directory {path.parent} for {path.name} does not exist"
        raise ExportError(message)
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415  # an extra: it may be missing
    except ImportError as error:
        message = "plots need matplotlib: run `pip install matplotlib`"
        raise ExportError(message) from error


def save_plot(outcome: Outcome, path: Path) -> None:
    """Draw how good each strategy is against the number of labels."""
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
            100 * curves.main[: len(labels)],
            100 * curves.spread[: len(labels)],
        )
        axes.plot(labels, mean, color=colour, label=name)
        axes.fill_between(
            labels, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0
        )
    level = 100 * ARRIVED * outcome.full
    axes.axhline(
        level,
        color="#999999",
        linestyle="--",
        label=f"95 % of the {outcome.measure} of all labels",
    )
    axes.set(
        title=f"{outcome.dataset}: {outcome.seeds} seeds, learner {outcome.learner}",
        xlabel="labels",
        ylabel=f"{outcome.measure} on held-out tasks, %",
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
