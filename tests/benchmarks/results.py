"""What the runs of the benchmark say together: tables, and a page with them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from scipy.stats import t as student

from tests.benchmarks.data_set_result import Result
from tests.benchmarks.data_sets import SOURCES

DUBITO, YARDSTICK = "dubito", "LR random"
OWN_RANDOM = "random"
RANDOM = ("LR random", "RF random", "ET random")
USUAL = "usual"
"""Begins the names of contestants that see the features of a usual script."""

USUAL_RANDOM = tuple(f"{USUAL} {name}" for name in RANDOM)
PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-activeml")
CONFIDENCE = 0.95
PART = re.compile(r"^(?=##? )", re.MULTILINE)


def summary(results: Sequence[Result]) -> Table:
    """Return how each contestant did on the last data set, and on all so far."""
    last = results[-1]
    shown = Table("contestant", last.name, f"{len(results)} sets", "to 95 %")
    for name in _names(results):
        heights = last.heights[name]
        mean = np.mean([result.heights[name].mean() for result in results])
        needed = str(last.arrival(name) or "-")
        shown.add_row(name, f"{heights.mean():.1f}", f"{mean:.1f}", needed)
    return shown


def _names(results: Sequence[Result]) -> tuple[str, ...]:
    """Return the contestants that have a run on each of the data sets."""
    first, *others = results
    return tuple(n for n in first.heights if all(n in r.heights for r in others))


def _by_set(results: Sequence[Result]) -> Iterator[list[str]]:
    names = _names(results)
    for result in results:
        heights = (f"{result.heights[name].mean():.1f}" for name in names)
        yield [result.name, f"{result.seeds}", *heights]
    kinds = dict.fromkeys(result.kind for result in results)
    for kind in kinds:
        own = [r for r in results if r.kind == kind]
        yield [f"*{kind}*", "", *_means(own, names)]
    yield ["**mean**", "", *_means(results, names)]


def _by_arrival(results: Sequence[Result]) -> Iterator[list[str]]:
    """Yield the labels each contestant needs for 95 % of what all labels give."""
    for result in results:
        needed = (result.arrival(name) for name in _names(results))
        level = f"{100 * result.level(result.seeds):.1f}"
        yield [result.name, level, *(str(count or "-") for count in needed)]


def _means(results: Sequence[Result], names: Sequence[str]) -> list[str]:
    return [f"{np.mean([r.heights[n].mean() for r in results]):.1f}" for n in names]


def _comparison(results: Sequence[Result]) -> Iterator[list[str]]:
    for name in _names(results):
        seeds = min(len(result.heights[name]) for result in results)
        gains = np.array([(r.heights[name] - _like(r, name))[:seeds] for r in results])
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
            *(_ratio(results, name, others) for others in RIVALS.values()),
            f"{arrives}",
        ]


def _like(result: Result, name: str) -> NDArray[np.float64]:
    """Return what the yardstick reaches with the seeds that a contestant has."""
    return result.heights[YARDSTICK][: len(result.heights[name])]


def with_interval(gains: NDArray[np.float64]) -> str:
    """Return the mean, and how far off it may be (95 %, Student's t)."""
    if len(gains) < 2:
        return f"{gains.mean():+.1f}"
    reach = student.ppf((1 + CONFIDENCE) / 2, len(gains) - 1)
    return f"{gains.mean():+.1f} ± {reach * gains.std(ddof=1) / len(gains) ** 0.5:.1f}"


def _ratio(results: Sequence[Result], name: str, others: Sequence[str]) -> str:
    """Return the labels needed as a share of what the best of others needs.

    The geometric mean over the data sets on which both arrive, by the seeds of both,
    and the number of these sets.
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
    return f"{np.exp(np.mean(ratios)):.2f} ({len(ratios)})" if ratios else "-"


RIVALS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "of RF random": ("RF random",),
        "of LR random": (YARDSTICK,),
        "of the best of the three": RANDOM,
        "of usual RF random": (f"{USUAL} RF random",),
        "of the best of the usual three": USUAL_RANDOM,
        "of its own learner's random": (OWN_RANDOM,),
    }
)
"""Whose labels are counted, by the headings of columns."""

COLUMNS = (
    *("contestant", "seeds", "accuracy", "against LR random", "better on (worst)"),
    *("macro-F1", "classes met after 2C", *RIVALS, "arrives"),
)


NOTES = """\
Accuracy and macro-F1 are means over the curve, from 5.5 labels per class to the budget,
on the 30 % kept back, in percent; the splits are the same for all. The interval is of
95 % over the seeds. *Of … random* is the number of labels needed for 95 % of what all
labels of the pool give the best learner, as a share of what that random learner needs,
which goes on beyond the budget until it gets there: the geometric mean of the sets on
which both arrive (on how many), by the seeds that both had; *arrives*: on how many sets
the contestant itself does. *The three* are a regression (LR), a random forest (RF) and
extremely randomised trees (ET), as scikit-learn has them, on the features that Dubito
makes: sentence and image vectors and what the names of the classes say are in them, the
views that Dubito weighs by the labels are not. *Usual* ones see what a script computes
with scikit-learn alone: TF-IDF of words and pairs of words, statistics of each channel,
pixels, means and deviations of MFCC; of rows of numbers these are the same standardised
columns, and the same runs. *Its own learner's random* is `random`: what is left is
saved by asking alone. `dubito` asks as the service does, one label behind, with audit
tasks; `random` and `margin` have the same learner. *LR margin* is what modAL and
scikit-activeml do: a regression, a random start, the smallest margin. *reference*:
random start, centres of clusters, a random forest, margin."""


def report(results: Sequence[Result], page: Path, plot: Path) -> None:
    """Write the first part of the page of results, and draw the curves."""
    draw(results, plot)
    write_part(page, part_of(results, f"![Learning curves](../../docs/{plot.name})"))


def part_of(results: Sequence[Result], picture: str) -> str:
    """Return the first part of the page.

    The thirteen sets by which Dubito was always judged have means of their own.
    """
    known = [result for result in results if result.name in SOURCES]
    later = [result for result in results if result.name not in SOURCES]
    command = "python -m tests.benchmarks.active_learning"
    heading = f"Written by `{command}`: {len(results)} data sets."
    parts = [
        *("# How few labels", heading, versions()),
        *_tables(known, f"{len(known)} of the thirteen data sets:"),
        *_tables(
            later, f"{len(later)} of the four that pretrained networks help with:"
        ),
        *(NOTES, picture),
    ]
    for some in filter(None, (known, later)):
        names = _names(some)
        parts += [
            markdown(("data", "seeds", *names), _by_set(some)),
            "Labels for 95 % of what all labels give; the budget ends before a `-`:",
            markdown(("data", "level", *names), _by_arrival(some)),
        ]
    return "\n\n".join(parts)


def _tables(results: Sequence[Result], title: str) -> Iterator[str]:
    if results:
        yield title
        yield markdown(COLUMNS, _comparison(results))


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
            level = 100 * result.level(result.seeds)
            axes.axhline(level, color="#999999", linewidth=0.7)
            axes.set_title(result.name, fontsize=9)
            axes.tick_params(labelsize=7)
        for axes in grid[len(results) :]:
            axes.set_axis_off()
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower right", fontsize=9)
        figure.savefig(path, metadata={"Date": None})
