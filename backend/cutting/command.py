"""`dubito cut`: read recordings, write or import tasks, say what came of it."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from dubito.backend.controls.registry import codec_of
from dubito.backend.cutting.columns import Columns, listed
from dubito.backend.cutting.job import CutJob, WindowShape
from dubito.backend.cutting.options import names_in
from dubito.backend.cutting.recording import Timing
from dubito.backend.cutting.tasks import (
    PLACEHOLDERS,
    TaskWriter,
    as_json_list,
    label_config,
)
from dubito.backend.errors import CutError, OutputError
from dubito.backend.export.atomic_write import check, write
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.label_config import control_names
from dubito.backend.labelstudio.task_import import import_tasks
from dubito.backend.progress import Show, progress_bars
from dubito.model.evaluation.relation import FEWEST_GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dubito.backend.cutting.options import CutOptions
    from dubito.backend.cutting.recording import Recording
    from dubito.backend.cutting.runs import Tally
    from dubito.backend.settings import Settings

MAX_IMPORT_BYTES = 200_000_000
"""Label Studio's import page takes files of 250 MB."""

MUCH_MORE = 1.5
"""Times the rate of a file; below, files are brought to one rate."""


def job_of(options: CutOptions) -> CutJob:
    """Look at the first file, and decide on the windows of all."""
    columns = Columns(
        time=options.time,
        channels=names_in(options.columns),
        group=options.group,
        label=options.label_column,
    )
    timing = Timing(unit=options.time_unit or "", rate=options.rate)
    shape = WindowShape(
        seconds=options.seconds,
        overlap=options.overlap,
        gap=options.gap,
        pure=options.pure,
    )
    return CutJob.of(options.files, columns, timing, shape)


def classes_of(options: CutOptions, job: CutJob) -> list[str]:
    """Return the classes that are named, and those of the windows so far."""
    return list(dict.fromkeys((*names_in(options.classes), *sorted(job.labels))))


def config_of(options: CutOptions, job: CutJob) -> str:
    """Return the label config for the windows so far."""
    return label_config(job.first.columns.channels, classes_of(options, job))


def run(settings: Settings, options: CutOptions) -> None:
    """Cut recordings into tasks, for a file or for a project."""
    if (options.output is None) == (options.project is None):
        message = "give either -o FILE or --project NUMBER for the tasks"
        raise CutError(message)
    if options.output is not None:
        _check_output(options, options.output)
    _check_repeats("--columns", options.columns)
    _check_repeats("--classes", options.classes)
    job = job_of(options)
    _introduce(job)
    with progress_bars() as show:
        if options.project is None:
            _write(options, job, show)
        else:
            _upload(settings, options, job, show)
    for recording, tally in job.tallies:
        click.echo(_sentence(recording, tally), err=True)
    for spellings in _spellings(classes_of(options, job)):
        click.echo(
            f"classes that differ only in case or blanks: {listed(spellings)}; if they"
            " are one class, write it alike in all rows and cut again",
            err=True,
        )
    click.echo(_advice(options, job), err=True)


def _check_output(options: CutOptions, output: Path) -> None:
    """Raise `OutputError` before long work whose result could not be written."""
    check(output)
    if output.suffix.lower() != ".json":
        message = f"tasks are written as JSON: give {output.with_suffix('.json')}"
        raise OutputError(message)
    there = [path for path in (output, options.config_path) if path.exists()]
    if there and not options.force:
        message = f"{there[0]} exists: give another name, or --force to replace it"
        raise OutputError(message)


def _check_repeats(option: str, text: str) -> None:
    """Raise `CutError` for a list that has a name twice: another one was meant."""
    counts = Counter(names_in(text))
    repeats = [name for name, count in counts.items() if count > 1]
    if repeats:
        message = f"{option} has {listed(repeats)} more than once: give each name once"
        raise CutError(message)


def _write(options: CutOptions, job: CutJob, show: Show) -> None:
    """Write the tasks, and the label config beside them."""
    output = options.output or Path()
    writer = _writer(config_of(options, job), job)
    write(output, as_json_list(job.tasks(writer, show)))
    write(options.config_path, [config_of(options, job).encode()])


def _writer(config: str, job: CutJob) -> TaskWriter:
    """Prepare to write tasks; raise `CutError` if a group would be overwritten."""
    grid, columns = job.cut(job.first).grid.tolist(), job.first.columns
    writer = TaskWriter.of(config, columns.channels, grid)
    if columns.group in {"file", "start", writer.key}:
        message = (
            f"a task's data has a {columns.group!r} of its own: rename the column of"
            " --group"
        )
        raise CutError(message)
    return writer


def _upload(settings: Settings, options: CutOptions, job: CutJob, show: Show) -> None:
    """Import the tasks into a project when all are cut.

    A project without a label config gets one.
    """
    number = options.project or 0
    url, key = settings.label_studio_url, settings.label_studio_key
    with (
        closing(LabelStudioClient.open(url, key)) as client,
        tempfile.TemporaryFile() as spool,
    ):
        config = client.project(number).label_config
        has_config = bool(control_names(config))
        writer = _writer(config if has_config else config_of(options, job), job)
        for task in job.tasks(writer, show):
            spool.write(task + b"\n")
        if has_config:
            _check_labels(job, writer)
        else:
            client.patch_project(number, label_config=config_of(options, job))
        total = sum(tally.windows for _, tally in job.tallies)
        for done in import_tasks(client, number, _lines(spool)):
            show("importing tasks", done, total)


def _check_labels(job: CutJob, writer: TaskWriter) -> None:
    classes, codec = writer.schema.classes, codec_of(writer.schema)
    unknown = sorted(label for label in job.labels if label not in classes)
    if codec.answer_kind == "number":
        unknown = [one for one in unknown if not codec.is_answer(one, writer.schema)]
    if unknown:
        message = (
            f"the label config of the project has no class {listed(unknown)} (it has"
            f" {listed(classes) or 'numbers'}): add the class, or correct the label"
            " column"
        )
        raise CutError(message)


def _lines(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    for line in spool:
        yield line.rstrip(b"\n")


def _introduce(job: CutJob) -> None:
    """Say how the files are read: a wrong guess is seen at once."""
    columns, clock = job.first.columns, job.first.clock
    time = "rows at a steady rate"
    if clock is not None:
        time = f"{clock.name!r}" + (f" in {clock.unit}" if clock.unit else "")
    click.echo(
        f"channels: {listed(columns.channels)}; time: {time};"
        f" {job.samples} samples a window at {job.rate:g} per second",
        err=True,
    )
    if columns.left_out:
        click.echo(
            "columns that are left out, since they hold no numbers:"
            f" {listed(columns.left_out)}",
            err=True,
        )
    own_rate = job.first.rate
    if job.rate > MUCH_MORE * own_rate:
        click.echo(
            f"--rate {job.rate:g} is {job.rate / own_rate:.3g} times the {own_rate:g}"
            f" samples per second of {job.first.path}: the values in between lie on"
            " straight lines and hold nothing new; give a lower --rate, or none",
            err=True,
        )


def _sentence(recording: Recording, tally: Tally) -> str:
    """Say what came of a file."""
    channels = recording.columns.channels
    empty = listed([channels[place] for place in sorted(tally.empty)])
    parts = {
        "samples without a time": tally.without_time,
        "gaps": tally.gaps,
        "steps back in time": tally.restarts,
        "windows left out, since a channel has no values": (
            tally.holes and f"{tally.holes} ({empty})"
        ),
        "windows without a label, since several are mixed": tally.mixed,
        "windows without a label, since few of their samples have one": (
            tally.unlabelled
        ),
        "windows without a label, since their rows have none": (
            tally.blank if recording.columns.label else 0
        ),
    }
    more = "".join(f"; {what}: {count}" for what, count in parts.items() if count)
    return (
        f"{recording.path}: windows: {tally.windows}; samples: {tally.samples}, at"
        f" {recording.rate:g} per second{more}"
    )


def _spellings(classes: Sequence[str]) -> list[list[str]]:
    """Return the classes that are probably one, written in several ways."""
    alike = defaultdict[str, list[str]](list)
    for name in classes:
        alike["".join(name.casefold().split())].append(name)
    return [names for names in alike.values() if len(names) > 1]


def _advice(options: CutOptions, job: CutJob) -> str:
    """Say where the tasks are, and what to do next."""
    total = sum(tally.windows for _, tally in job.tallies)
    by_file = "file" if len(options.files) >= FEWEST_GROUPS else ""
    group = options.group or by_file
    hint = f'; set {{"group": "{group}"}} in the extra params' if group else ""
    if options.output is None:
        return (
            f"project {options.project} has {total} more tasks; next: dubito connect"
            f" --project {options.project}{hint}"
        )
    if len(classes_of(options, job)) < len(PLACEHOLDERS):
        hint = f", with your classes instead of the placeholders{hint}"
    large = options.output.stat().st_size > MAX_IMPORT_BYTES
    how = " with --project, for the file is too large for one import" if large else ""
    return (
        f"{total} tasks are in {options.output}, their label config is in"
        f" {options.config_path}; next: import the tasks{how}, paste the label config,"
        f" then dubito connect{hint}"
    )
