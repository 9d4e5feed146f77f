"""The model as a file: it says elsewhere what the service says, and holds no more."""

import csv
import io
import os
import runpy
import subprocess
import sys
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from skops import io as skops

from dubito.backend.errors import ModelFileError
from dubito.backend.export.fitted_model import FittedModel, ItemPrediction, load_model
from dubito.backend.export.model_zip import fit_model
from dubito.backend.export.skops_file import OURS, THEIRS
from dubito.backend.web.app import create_app
from dubito.model.query.seed_set import permutation
from tests.dubito_process import ROOT, Rows, feature_rows, rows_project
from tests.service.stand import Stand
from tests.taken_away import KINDS, made_model, make_texts

pytestmark = pytest.mark.real_learner

TOLERANCE = 1e-6
"""The stored probabilities have 32 bits."""


@pytest.fixture
def caller(bench: Stand) -> FlaskClient:
    return create_app(bench.services).test_client()


@pytest.fixture(scope="module")
def rows(shared: Stand) -> Rows:
    """Make a project of rows of which few have labels, and learn from it."""
    return shared.labelled_rows()


@pytest.fixture(scope="module")
def folder(shared: Stand, rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the model of these rows is unpacked."""
    caller = create_app(shared.services).test_client()
    return made_model(shared, caller, rows.project, tmp_path_factory.mktemp("model"))


def predicted(folder: Path, items: Path) -> list[dict[str, str]]:
    """Run `predict.py` as its README says, elsewhere."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-W", "error", str(folder / "predict.py"), str(items)],
        cwd=items.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))


def predicted_here(folder: Path, *items: Path) -> list[dict[str, str]]:
    """Run it in this process: to start one of its own takes three seconds."""
    script, complaints = folder / "predict.py", io.StringIO()
    output = io.TextIOWrapper(io.BytesIO())
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(output),
        redirect_stderr(complaints),
    ):
        patch.setattr(sys, "argv", [str(script), *map(str, items)])
        runpy.run_path(str(script))
    assert not complaints.getvalue()
    output.seek(0)
    return list(csv.DictReader(output))


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_says_elsewhere_what_the_service_says(
    bench: Stand, caller: FlaskClient, kind: str, tmp_path: Path
) -> None:
    """In a process of its own, of the raw items, without Redis and Label Studio."""
    (tmp_path / "raw").mkdir()
    made = KINDS[kind](bench, tmp_path / "raw")
    for number, task in enumerate(made.tasks[:8]):
        bench.label_studio.annotate(task, ("rest", "walk")[number % 2])
    bench.connect(made.project)
    ranking = bench.state(made.project).ranking()
    assert ranking is not None
    assert ranking.task_ids.tolist() == made.tasks
    folder = made_model(bench, caller, made.project, tmp_path / "model")

    lines = predicted(folder, made.items)

    probabilities = [[float(line[name]) for name in ranking.classes] for line in lines]
    assert np.array(probabilities) == pytest.approx(
        ranking.probabilities, abs=TOLERANCE
    )
    certainty = [float(line["certainty"]) for line in lines]
    assert certainty == pytest.approx(ranking.certainty, abs=2 * TOLERANCE)
    likeliest = ranking.probabilities.argmax(axis=1)
    assert [line["label"] for line in lines] == [ranking.classes[c] for c in likeliest]
    file = folder / "model.skops"
    assert {*skops.get_untrusted_types(file=file)} <= {*OURS, *THEIRS}
    with zipfile.ZipFile(file) as parts:
        assert {Path(name).suffix for name in parts.namelist()} <= {".json", ".npy"}


def test_a_model_answers_for_items_it_has_not_seen_as_predict_does(
    shared: Stand, rows: Rows, folder: Path
) -> None:
    caller, state = (
        create_app(shared.services).test_client(),
        shared.state(rows.project),
    )
    strangers = [data for data, _ in feature_rows(300, seed=9)]
    tasks = [{"id": 10**6 + n, "data": data} for n, data in enumerate(strangers)]
    body = {"tasks": tasks, "project": state.key}
    expected = caller.post("/predict", json=body).get_json()["results"]
    model = load_model(folder / "model.skops")

    answers = list(model.answers([*strangers, {"f0": "none"}], _NoFiles()))

    known = [one for one in answers if isinstance(one, ItemPrediction)]
    scores = [0.01 + 0.99 * one.certainty for one in known]
    assert scores == pytest.approx([one["score"] for one in expected], abs=TOLERANCE)
    assert answers[-1] == "the value of 'f0' is not a number"


class _NoFiles:
    def fetch(self, address: str) -> bytes:
        raise AssertionError(address)


def test_the_model_holds_no_task_that_was_not_labelled(
    bench: Stand, tmp_path: Path
) -> None:
    """Its size does not grow with the pool, and texts stay where they are."""
    made = make_texts(bench, tmp_path)
    for number, task in enumerate(made.tasks[:8]):
        bench.label_studio.annotate(task, ("rest", "walk")[number % 2])
    bench.connect(made.project)

    fitted = fit_model(bench.services, bench.state(made.project)).fitted

    assert isinstance(fitted, FittedModel)
    wordings = fitted.featuriser.wordings
    assert wordings is not None
    assert not wordings.rows
    words = wordings.embedding.words
    assert words is not None
    assert {type(place) for place in words.vocabulary_.values()} == {int}
    assert not wordings.learnt_from


def test_the_card_says_what_the_status_says(
    bench: Stand, caller: FlaskClient, tmp_path: Path
) -> None:
    rows = rows_project(bench.label_studio, 80)
    ids = np.array(rows.tasks, dtype=np.int64)
    chosen = ids[permutation(ids, seed=0)][:40].tolist()
    for task in chosen:
        bench.label_studio.annotate(task, rows.truth[task])
    bench.connect(rows.project)
    status = bench.status(rows.project)
    folder = made_model(bench, caller, rows.project, tmp_path)

    card = (folder / "README.md").read_text()

    accuracy = status["accuracy"]
    assert accuracy["estimate"] is not None
    assert f"**{100 * accuracy['estimate']:.1f} %**" in card
    assert (
        f"between {100 * accuracy['low']:.1f} and {100 * accuracy['high']:.1f} %"
        in card
    )
    assert f"at {status['curve'][-1]['labels']} labels, {accuracy['n']} of them" in card
    for name in status["classes"]:
        given = [t for t in chosen if rows.truth[t] == name]
        assert f"| {name} | {len(given)} |" in card
    assert "40 labelled tasks of 80, by 1 annotator" in card
    assert "f0, f1, f2, f3, f4" in card
    assert "```xml\n<View>" in card
    pins = (folder / "requirements.txt").read_text()
    assert f"scikit-learn=={version('scikit-learn')}" in pins


def test_the_script_says_in_a_sentence_what_stands_in_its_way(folder: Path) -> None:
    for items, message in (
        ((), "python predict.py items.csv"),
        ((Path("x"),), "there is no x"),
    ):
        with pytest.raises(SystemExit, match=message):
            predicted_here(folder, *items)


def test_a_card_without_accuracy_says_that_it_is_not_known(folder: Path) -> None:
    assert (
        "Not known. It is estimated from 20 labels"
        in (folder / "README.md").read_text()
    )


def test_a_file_that_is_no_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for content in (b"", b"no zip", skops.dumps({"format": 99})):
        (tmp_path / "x.skops").write_bytes(content)
        with pytest.raises(ModelFileError, match=r"is not a (readable )?model"):
            load_model(tmp_path / "x.skops")


def test_a_file_with_other_types_than_ours_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "x.skops"
    skops.dump({"format": 1, "schema": Rows(project=1, truth={})}, file)

    with pytest.raises(
        Exception,
        match=r"contains types that are not Dubito's.*tests.dubito_process.Rows",
    ):
        load_model(file)
