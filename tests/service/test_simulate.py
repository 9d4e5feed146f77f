"""`dubito simulate` as people run it: in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from xml.etree.ElementTree import parse

import pytest
from click.testing import CliRunner, Result

from dubito.backend.cli import main
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.curves import Curves, Outcome
from dubito.backend.simulate.plot import save_plot
from dubito.backend.simulate.process_pool import (
    KeptRuns,
    ProcessPool,
    code_mark,
    modules_of,
)
from dubito.backend.simulate.report import table
from dubito.backend.simulate.runs import Experiment, Job, Run, StrategyRun
from dubito.model.simulation import by_chance, by_margin
from tests.exports import (
    CITIES,
    ROWS_CONFIG,
    dataset_of,
    exported,
    rows,
    several,
    write,
)
from tests.label_studio import CONTROL, ITEM, choices_config
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.real_learner

T = TypeVar("T")
STRATEGIES = {"dubito", "random", "margin"}
HEARS_CTRL_C = ("/usr/bin/env", "--default-signal=INT")
"""What a shell starts in the background is deaf to it, and so is all it starts."""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(tmp_path, rows(60))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.xml"
    path.write_text(ROWS_CONFIG)
    return path


def environment(directory: Path) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "MODEL_DIR": str(directory / "kept")}
    return kept | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def command(*arguments: object) -> list[str]:
    return [
        sys.executable,
        "-m",
        "dubito.backend.cli",
        "simulate",
        *map(str, arguments),
    ]


def simulate(directory: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        command(*arguments),
        env=environment(directory),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def asked(*arguments: object, env: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["simulate", *map(str, arguments)], env=env)


def test_ctrl_c_loses_nothing_and_the_same_command_goes_on(
    tmp_path: Path, export: Path, config: Path
) -> None:
    arguments = (export, "--config", config, "--seeds", 2, "--budget", 8, "--json")
    with subprocess.Popen(  # noqa: S603 - our own command
        [*HEARS_CTRL_C, *command(*arguments)],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as first:
        until(lambda: [*tmp_path.glob("kept/simulations/*/*.json"), *gone(first)])
        os.killpg(first.pid, signal.SIGINT)  # as a terminal does: workers as well
        output, complaint = first.communicate(timeout=PATIENCE_SECONDS)
    kept = len(list(tmp_path.glob("kept/simulations/*/*.json")))

    second = simulate(tmp_path, *arguments, "-o", tmp_path / "curves.svg")

    assert (first.returncode, output) == (130, "")
    assert f"interrupted: {kept} of 8 runs are finished" in complaint
    assert "Traceback" not in complaint
    assert second.returncode == 0, second.stderr
    assert f"an earlier call finished {kept} of 8 runs" in second.stderr
    check_json(json.loads(second.stdout), budget=8, seeds=2)
    assert parse(tmp_path / "curves.svg").getroot().tag.endswith("svg")  # noqa: S314 - ours


def test_no_process_outlives_the_one_it_works_for(
    tmp_path: Path, export: Path, config: Path
) -> None:
    with subprocess.Popen(  # noqa: S603 - our own command
        command(export, "--config", config, "--seeds", 3),
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as asked_for:
        workers = until(lambda: at_work(asked_for.pid))
        asked_for.kill()

    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def gone(process: subprocess.Popen[str]) -> list[int]:
    """Return the status of a process that ended too early."""
    status = process.poll()
    return [] if status is None else [status]


def at_work(process: int) -> list[int]:
    """Return the workers of a process once there are some."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    lines = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in listed}
    return [child for child, line in lines.items() if "spawn_main" in line]


def until(attempt: Callable[[], T]) -> T:
    """Wait for something that is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := attempt()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def check_json(result: Any, budget: int, seeds: int) -> None:  # noqa: ANN401 - the JSON border
    """Scripts rely on these names."""
    names = ("dataset", "learner", "budget", "seeds", "strategies", "labels_to_95")
    assert tuple(result) == names
    assert (result["dataset"], result["learner"]) == ("cities", "auto")
    assert (result["budget"], result["seeds"]) == (budget, seeds)
    assert result["strategies"].keys() == result["labels_to_95"].keys() == STRATEGIES
    for curve in result["strategies"].values():
        assert tuple(curve) == ("labels", "accuracy", "macro_f1")
        assert curve["labels"] == list(range(1, budget + 1))
        assert all(0 <= value <= 1 for value in curve["accuracy"] + curve["macro_f1"])
        assert len(curve["accuracy"]) == len(curve["macro_f1"]) == budget
    arrived = result["labels_to_95"].values()
    assert all(count is None or 1 <= count <= budget for count in arrived)


def material(directory: Path) -> Experiment:
    dataset = dataset_of(rows(60), ROWS_CONFIG, directory)
    return Experiment(
        labelled=dataset.labelled, groups=None, preferences=Preferences(), budget=4
    )


def test_the_answer_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    made = material(tmp_path)
    jobs = [
        Job(StrategyRun(name=name, strategy=ask, learner="auto", mark="m"), seed)
        for name, ask in (("random", by_chance), ("margin", by_margin))
        for seed in range(2)
    ]
    ticks: list[int] = []

    def carried_out(workers: int) -> list[Run]:
        kept = KeptRuns.of(made, tmp_path / str(workers))
        crew = ProcessPool(
            material=made, kept_runs=kept, workers=workers, tell=ticks.append
        )
        return list(crew.carry_out(jobs).values())

    one, two = carried_out(1), carried_out(2)

    assert one == two
    assert ticks[-1] == len(jobs) * made.budget


def test_other_material_has_other_runs(tmp_path: Path) -> None:
    made = material(tmp_path)
    turned = replace(made.labelled, codes=made.labelled.codes[::-1].copy())
    limited = replace(made.labelled, most_chosen=1)

    stores = {
        KeptRuns.of(each, tmp_path)
        for each in (
            *(made, replace(made, labelled=turned), replace(made, labelled=limited)),
            replace(made, budget=9),
        )
    }

    assert KeptRuns.of(material(tmp_path), tmp_path) in stores
    assert len(stores) == 4


def test_a_damaged_run_is_done_again(tmp_path: Path) -> None:
    kept = KeptRuns(tmp_path)
    job = Job(StrategyRun(name="a b", strategy=None, learner="auto", mark="m"), 3)
    run = Run(accuracy=[0.5, None], macro_f1=[0.25, None])

    kept.save(job, run)
    assert kept.load(job) == run
    for path in tmp_path.iterdir():
        path.write_text("{")

    assert kept.load(job) is None


def test_a_change_of_any_module_makes_runs_of_before_useless(tmp_path: Path) -> None:
    for name in ("a.py", "inside/b.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("ONE = 1\n")
    before = code_mark(*modules_of(tmp_path))

    assert code_mark(*modules_of(tmp_path)) == before
    for name in ("a.py", "inside/b.py"):
        (tmp_path / name).write_text("TWO = 2\n")
        assert code_mark(*modules_of(tmp_path)) != before
        (tmp_path / name).write_text("ONE = 1\n")
    assert len(modules_of(files("dubito.model"))) > 40


def curves(*accuracy: float) -> Curves:
    return Curves.of([Run(accuracy=list(accuracy), macro_f1=list(accuracy))])


@pytest.fixture
def outcome() -> Outcome:
    return Outcome(
        dataset="cities",
        learner="auto",
        seeds=1,
        full=0.9,
        strategies={
            "dubito": curves(0.4, 0.7, 0.9, 0.9),
            "random": curves(0.4, 0.5, 0.6, 0.9),
            "margin": curves(0.4, 0.6, 0.5, 0.7),
        },
    )


def test_the_outcome_says_how_many_labels_are_saved(outcome: Outcome) -> None:
    shown = table(outcome)

    columns = [list(column.cells) for column in shown.columns]
    lines = dict(zip(columns[0], zip(*columns[1:], strict=True), strict=True))
    assert outcome.labels_to_95() == {"dubito": 3, "random": 4, "margin": None}
    assert lines["70%"] == ("2", "4", "4", "50%")
    assert lines["90%"] == ("3", "4", "—", "25%")
    assert "50%" in lines
    assert "45%" not in lines


@pytest.mark.parametrize("ending", ["png", "svg", "SVG"])
def test_equal_curves_are_equal_pictures(
    tmp_path: Path, outcome: Outcome, ending: str
) -> None:
    one, other = tmp_path / f"one.{ending}", tmp_path / f"other.{ending}"

    save_plot(outcome, one)
    save_plot(outcome, other)

    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes()[:4] in {b"\x89PNG", b"<?xm"}


def refusals() -> Iterator[tuple[object, tuple[object, ...], str]]:
    """Yield tasks, arguments and what is said to them."""
    yield (
        rows(60),
        ("--learner", "oracle"),
        "Error: --learner: 'oracle' is unknown; choose from auto",
    )
    yield (
        rows(60),
        ("--strategy", "luck"),
        "Error: --strategy: must be 'margin', 'entropy' or 'least_confidence'",
    )
    yield rows(60), ("-o", "curves.pdf"), "neither a .png nor a .svg"
    yield (
        rows(60),
        ("-o", "nowhere/curves.png"),
        "the directory nowhere for curves.png does not exist",
    )
    yield rows(60), ("--config", "none.xml"), "none.xml cannot be read"
    yield rows(60), ("--project", 1), "a FILE or a --project to simulate, and not both"
    yield (
        rows(60),
        ("--files", "nowhere"),
        "there is no directory nowhere, which --files",
    )
    yield rows(60), ("--group", "who"), "no task has the key 'who' in its data"
    yield (
        rows(6),
        (),
        "at least 10 labelled tasks of classes with two or more, and has 6",
    )
    same = [exported(n, {"x0": n}, "rome") for n in range(40)]
    yield same, (), "only one class has two labelled tasks or more: label more"
    late = [{**exported(1, {"x0": 1}, "rome"), "annotations": [{"updated_at": "late"}]}]
    yield late, (), "cannot be read (updated_at: not a time with a UTC offset"
    yield [], (), "'cities' has no tasks"
    yield {"tasks": []}, (), "not a list of tasks"


@pytest.mark.parametrize(("tasks", "arguments", "why"), list(refusals()))
def test_what_cannot_be_simulated_is_refused_in_a_sentence(
    tmp_path: Path,
    config: Path,
    tasks: Any,  # noqa: ANN401 - bad input
    arguments: tuple[object, ...],
    why: str,
) -> None:
    output = asked(write(tmp_path, tasks), "--config", config, *arguments)

    assert output.exit_code == 1
    assert why in output.output
    assert "Traceback" not in output.output


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    output = asked(tmp_path / "nope.json")

    assert output.exit_code == 1
    assert "nope.json cannot be read: No such file or directory" in output.output


def test_a_file_without_its_label_config_is_refused(export: Path) -> None:
    output = asked(export)

    assert output.exit_code == 1
    assert "give its label config with --config" in output.output


def test_missing_files_are_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "config.xml"
    label_config = choices_config("a", "b", tag="Image", attributes='value="$file"')
    config.write_text(label_config)
    tasks = [exported(1, {"file": "walk.png"}, "a")]

    output = asked(write(tmp_path, tasks), "--config", config)

    assert output.exit_code == 1
    assert "'walk.png' is not in" in output.output
    assert "with --files" in output.output


def test_nothing_to_simulate_is_said() -> None:
    assert "give a FILE or a --project" in asked().output


def test_sets_of_classes_are_compared_by_micro_f1(tmp_path: Path) -> None:
    """An annotation without a choice says: none of them."""
    names = ("loud", "long")
    choices = "".join(f'<Choice value="{name}"/>' for name in names)
    config = tmp_path / "config.xml"
    config.write_text(
        f'<View><Text name="{ITEM}" value="$x0"/><Choices name="{CONTROL}"'
        f' toName="{ITEM}" choice="multiple">{choices}</Choices></View>'
    )
    tasks = rows(60)
    for task in tasks:
        values = [task["data"]["x0"] > 0.9, task["data"]["x1"] > 0.9]
        ticked = [name for name, is_in in zip(names, values, strict=True) if is_in]
        task["annotations"][0]["result"] = several(*ticked) if ticked else []
    arguments = [
        write(tmp_path, tasks),
        "--config",
        config,
        "--budget",
        6,
        "--seeds",
        1,
    ]
    sets = {len(task["annotations"][0]["result"]) for task in tasks}

    output = simulate(tmp_path, *arguments, "--json")
    shown = asked(*arguments, "-o", tmp_path / "curves.svg", env=environment(tmp_path))

    assert sets == {0, 1}
    assert output.returncode == 0, output.stderr
    assert (
        "60 labelled tasks, 2 classes\nlearnt from: rows of features" in output.stderr
    )
    strategies = json.loads(output.stdout)["strategies"]
    assert strategies.keys() == STRATEGIES
    for curve in strategies.values():
        assert tuple(curve) == ("labels", "accuracy", "macro_f1", "micro_f1")
        assert len(curve["micro_f1"]) == 6
        assert curve["micro_f1"][-1] >= curve["accuracy"][-1] > 0
    assert "micro F1" in shown.output
    assert (tmp_path / "curves.svg").exists()


def test_a_label_config_decides_what_is_a_label(tmp_path: Path) -> None:
    choices = "".join(f'<Choice value="{city}"/>' for city in CITIES[:1])
    config = tmp_path / "config.xml"
    config.write_text(
        f'<View><Text name="item" value="$x0"/><Choices name="label" toName="item">'
        f'{choices}<Choice value="nowhere"/></Choices></View>'
    )

    output = asked(write(tmp_path, rows(60)), "--config", config)

    reason = "set aside: 20 tasks (the labeling configuration has no choice '{}')"
    assert all(reason.format(city) in output.output for city in CITIES[1:])
    assert output.exit_code == 1
