"""What the runs of the benchmark say together: tables, and a page with them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from scipy.stats import t as student

from dubito.backend.simulate.curves import ARRIVED
from dubito.backend.simulate.runs import Experiment, Job, Run
from dubito.model.evaluation.learning_curve import (
    classes_met,
    filled,
    labels_to,
    mean_height,
)

DUBITO, YARDSTICK = "dubito", "LR random"
OWN_RANDOM = "random"
RANDOM = ("LR random", "RF random", "ET random")
EVERYTHING = "everything"
PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-activeml")
CONFIDENCE = 0.95
PART = re.compile(r"^(?=##? )", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one data set.

    Attributes
    ----------
    budget : labels up to which the curves are compared; some go on beyond it
    full : (learners, seeds) accuracy that all labels of the pool give each learner
    heights : of each contestant, the mean accuracy of each seed's curve, in percent
    f1 : the same of macro-F1
    met : of each contestant, the share of classes met after 2 labels per class
    curves : of each contestant, (seeds, labels) accuracies after each label
    """

    name: str
    kind: str
    n_classes: int
    budget: int
    full: NDArray[np.float64]
    heights: Mapping[str, NDArray[np.float64]]
    f1: Mapping[str, NDArray[np.float64]]
    met: Mapping[str, float]
    curves: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(
        cls, name: str, kind: str, made: Experiment, runs: Mapping[Job, Run]
    ) -> Self:
        """Sum up the runs of all contestants."""
        by_name: dict[str, list[Run]] = {}
        for job, run in runs.items():
            by_name.setdefault(job.contestant.name, []).append(run)
        whole = [n for n in by_name if n.endswith(EVERYTHING)]
        asking = {n: result for n, result in by_name.items() if n not in whole}
        classes, budget = made.labelled.n_classes, made.budget

        def heights(curves: NDArray[np.float64]) -> NDArray[np.float64]:
            return heights_of(curves[:, :budget], classes)

        return cls(
            name=name,
            kind=kind,
            n_classes=classes,
            budget=budget,
            full=np.array([accuracies(by_name[n])[:, -1] for n in whole]),
            heights={n: heights(accuracies(r)) for n, r in asking.items()},
            f1={n: heights(macro_f1(r)) for n, r in asking.items()},
            met={n: _met(r, classes) for n, r in asking.items()},
            curves={n: accuracies(r) for n, r in asking.items()},
        )

    def level(self, seeds: int) -> float:
        """Return 95 % of what all labels give the best learner, by the first seeds."""
        return ARRIVED * float(self.full[:, :seeds].mean(axis=1).max())

    def arrival(self, name: str, seeds: int | None = None) -> int | None:
        """Return the labels a contestant needs for that level, by the first seeds."""
        curves = self.curves[name][:seeds]
        return labels_to(curves.mean(axis=0), self.level(len(curves)))


def accuracies(runs: Sequence[Run]) -> NDArray[np.float64]:
    """Return (seeds, labels) accuracies after each label."""
    return np.array([filled(np.array(r.accuracy, dtype=np.float64)) for r in runs])


def macro_f1(runs: Sequence[Run]) -> NDArray[np.float64]:
    """Return (seeds, labels) macro-F1 after each label."""
    return np.array([filled(np.array(r.macro_f1, dtype=np.float64)) for r in runs])


def heights_of(curves: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Return (seeds,) means over the curves, in percent."""
    return np.array([100 * mean_height(curve, classes) for curve in curves])


def up_to(run: Run, labels: int) -> Run:
    """Return the beginning of a run that went on."""
    return run.model_copy(
        update={name: curve[:labels] for name, curve in run if len(curve) > labels}
    )


def _met(runs: Sequence[Run], classes: int) -> float:
    met = [classes_met(np.array(run.codes), classes) for run in runs]
    return float(np.mean([share[min(2 * classes, len(share)) - 1] for share in met]))


def summary(results: Sequence[Result]) -> Table:
    """Return how each contestant did on the last data set, and on all so far."""
    last = results[-1]
    shown = Table("contestant", last.name, f"{len(results)} sets", "to 95 %")
    for name, heights in last.heights.items():
        mean = np.mean([result.heights[name].mean() for result in results])
        needed = str(last.arrival(name) or "-")
        shown.add_row(name, f"{heights.mean():.1f}", f"{mean:.1f}", needed)
    return shown


def _by_set(results: Sequence[Result]) -> Iterator[list[str]]:
    for result in results:
        yield [result.name, *(f"{h.mean():.1f}" for h in result.heights.values())]
    kinds = dict.fromkeys(result.kind for result in results)
    for kind in kinds:
        yield [f"*{kind}*", *_means([r for r in results if r.kind == kind])]
    yield ["**mean**", *_means(results)]


def _by_arrival(results: Sequence[Result]) -> Iterator[list[str]]:
    """Yield the labels each contestant needs for 95 % of what all labels give."""
    for result in results:
        needed = (result.arrival(name) for name in result.curves)
        level = f"{100 * result.level(result.full.shape[1]):.1f}"
        yield [result.name, level, *(str(count or "-") for count in needed)]


def _means(results: Sequence[Result]) -> list[str]:
    names = results[0].heights
    return [f"{np.mean([r.heights[n].mean() for r in results]):.1f}" for n in names]


def _comparison(results: Sequence[Result]) -> Iterator[list[str]]:
    for name in results[0].heights:
        seeds = len(results[0].heights[name])
        gains = np.array(
            [r.heights[name] - r.heights[YARDSTICK][:seeds] for r in results]
        )
        better = int((gains.mean(axis=1) > 0).sum())
        arrives = sum(r.arrival(name) is not None for r in results)
        yield [
            name,
            f"{seeds}",
            f"{np.mean([r.heights[name].mean() for r in results]):.1f}",
            with_interval(gains.mean(axis=0)),
            f"{better} ({gains.mean(axis=1).min():+.1f})",
            f"{np.mean([r.f1[name].mean() for r in results]):.1f}",
            f"{100 * np.mean([r.met[name] for r in results]):.0f} %",
            _ratio(results, name, ("RF random",)),
            _ratio(results, name, (YARDSTICK,)),
            _ratio(results, name, RANDOM),
            _ratio(results, name, (OWN_RANDOM,)),
            f"{arrives}",
        ]


def with_interval(gains: NDArray[np.float64]) -> str:
    """Return the mean, and how far off it may be (95 %, Student's t)."""
    if len(gains) < 2:
        return f"{gains.mean():+.1f}"
    reach = student.ppf((1 + CONFIDENCE) / 2, len(gains) - 1)
    return f"{gains.mean():+.1f} ± {reach * gains.std(ddof=1) / len(gains) ** 0.5:.1f}"


def _ratio(results: Sequence[Result], name: str, others: Sequence[str]) -> str:
    """Return the labels needed as a share of what the best of others needs.

    The geometric mean over the data sets on which both arrive, by the seeds of both.
    """
    ratios = []
    for result in results:
        rivals = [other for other in others if other in result.curves]
        seeds = min(len(result.curves[each]) for each in (name, *rivals))
        needed = [result.arrival(rival, seeds) for rival in rivals]
        known = [count for count in needed if count is not None]
        ours = result.arrival(name, seeds)
        if known and ours is not None:
            ratios.append(np.log(ours / min(known)))
    return f"{np.exp(np.mean(ratios)):.2f}" if ratios else "-"


COLUMNS = (
    *("contestant", "seeds", "accuracy", "against LR random", "better on (worst)"),
    *("macro-F1", "classes met after 2C", "of RF random", "of LR random"),
    *("of the best of the three", "of its own learner's random", "arrives"),
)


NOTES = """\
Accuracy and macro-F1 are means over the curve, from 5.5 labels per class to the budget,
on the 30 % kept back, in percent; the splits are the same for all. The interval is of
95 % over the seeds. *Of … random* is the number of labels needed for 95 % of what all
labels of the pool give the best learner, as a share of what that random learner needs,
which goes on beyond the budget until it gets there: the geometric mean of the sets on
which both arrive, by the seeds that both had (*arrives*: on how many). *The three* are
a regression (LR), a random forest (RF) and extremely randomised trees (ET), as
scikit-learn has them; *its own learner's random* is `random`: what is left is saved by
asking alone. `dubito` asks as the service does, one label behind, with audit tasks;
`random` and `margin` have the same learner. *LR margin* is what modAL and
scikit-activeml do: a regression, a random start, the smallest margin. *reference*:
random start, centres of clusters, a random forest, margin."""


def report(results: Sequence[Result], page: Path, plot: Path, seeds: int) -> None:
    """Write the page of results, and draw the curves."""
    draw(results, plot)
    compared = markdown(COLUMNS, _comparison(results))
    names = tuple(results[0].heights)
    command = "python -m tests.benchmarks.active_learning"
    heading = f"Written by `{command}`: {len(results)} data sets, {seeds} seeds."
    picture = f"![Learning curves](../../docs/{plot.name})"
    parts = (
        *("# How few labels", heading, versions(), compared, NOTES, picture),
        markdown(("data", *names), _by_set(results)),
        "Labels for 95 % of what all labels give; the budget ends before a `-`:",
        markdown(("data", "level", *names), _by_arrival(results)),
    )
    write_part(page, "\n\n".join(parts))


def write_part(page: Path, part: str) -> None:
    """Put a part on the page of results, in the place of what has the same heading.

    The other parts stay as they are; the one under the title of the page is the first.
    """
    sections = PART.split(page.read_text()) if page.exists() else []
    parts = {one.partition("\n")[0]: one.strip() for one in (*sections, part) if one}
    ordered = sorted(parts.values(), key=lambda one: one.startswith("## "))
    page.write_text("\n\n".join(ordered) + "\n")


def versions() -> str:
    """Return what the figures were computed with."""
    return ", ".join([f"With Python {python_version()}", *map(_version, PACKAGES)])


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as it is written in Markdown."""
    rule = ["---"] * len(columns)
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rule, *rows))


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw the curves of all data sets side by side."""
    from matplotlib import rc_context  # noqa: PLC0415  # an extra
    from matplotlib.figure import Figure  # noqa: PLC0415

    shown = ("dubito", "random", "LR margin", "reference", "RF random")
    columns = 4
    rows = -(-len(results) // columns)
    with rc_context({"svg.hashsalt": "dubito", "svg.fonttype": "none"}):
        figure = Figure(figsize=(12, 2.4 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, result in zip(grid, results, strict=False):
            for name in (each for each in shown if each in result.curves):
                curve = 100 * result.curves[name].mean(axis=0)[: result.budget]
                axes.plot(np.arange(1, len(curve) + 1), curve, label=name, linewidth=1)
            level = 100 * result.level(result.full.shape[1])
            axes.axhline(level, color="#999999", linewidth=0.7)
            axes.set_title(result.name, fontsize=9)
            axes.tick_params(labelsize=7)
        for axes in grid[len(results) :]:
            axes.set_axis_off()
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower right", fontsize=9)
        figure.savefig(path, metadata={"Date": None})
