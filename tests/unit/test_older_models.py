"""A model that an older Dubito exported is refused in a sentence."""

from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from skops import io as skops

from dubito.backend.errors import ModelFileError
from dubito.backend.export.fitted_model import FittedModel, load_model
from dubito.backend.export.skops_file import OLD_FORMAT_OF_STRETCHES, OURS, THEIRS
from dubito.backend.features.feature_table import Featuriser
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import Pool
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.kernel_ridge import Kernel
from dubito.model.learners.unlabelled_context import Rows
from tests.label_studio import choices_config
from tests.unit.test_items_read import fitted

pytestmark = pytest.mark.usefixtures("few_trees")


def test_a_model_with_word_vectors_is_of_an_older_dubito(tmp_path: Path) -> None:
    new, old = tmp_path / "new.skops", tmp_path / "old.skops"
    skops.dump({"format": 6, "part": Kernel}, new)
    with ZipFile(new) as source, ZipFile(old, "w") as target:
        for name in source.namelist():
            content = source.read(name).replace(b"kernel_ridge", b"word_vectors")
            target.writestr(name, content)

    with pytest.raises(ModelFileError, match="an older Dubito wrote"):
        load_model(old)


@pytest.mark.parametrize("kind", [Kernel, Rows])
def test_types_by_their_older_names_are_of_an_older_dubito(
    tmp_path: Path, kind: type
) -> None:
    new, old = tmp_path / "new.skops", tmp_path / "old.skops"
    skops.dump({"format": 5, "part": kind}, new)
    with ZipFile(new) as source, ZipFile(old, "w") as target:
        for name in source.namelist():
            content = source.read(name).replace(b"dubito.model.", b"model.")
            target.writestr(name, content)

    with pytest.raises(
        ModelFileError, match=r"an older Dubito wrote .*export the model"
    ):
        load_model(old)


@pytest.mark.slow
@pytest.mark.parametrize("texts", [("some words", "others"), ()])
def test_a_model_of_texts_without_vectors_is_of_an_older_dubito(
    tmp_path: Path, texts: tuple[str, ...]
) -> None:
    """One of rows is read as before."""
    numbers = np.array([[1.0], [2.0]], dtype=np.float32)
    ids = np.arange(2, dtype=np.int64)
    pool = Pool(task_ids=ids, columns=("x",), numbers=numbers, texts=texts)
    featuriser = Featuriser.of(pool, seed=0).without_tasks()
    model = FittedModel(
        schema=read_schema(choices_config("a", "b")),
        reads=InputSpec(kind="numbers"),
        strategy="margin",
        featuriser=featuriser,
        predictor=Ensemble().fit(numbers, ids, 2).without_tasks(),
    )
    path = tmp_path / "old.skops"
    content = skops.loads(model.packed(), trusted=[*OURS, *THEIRS])
    skops.dump({**content, "format": 6}, path)

    if texts:
        with pytest.raises(ModelFileError, match="an older Dubito wrote"):
            load_model(path)
    else:
        assert load_model(path).classes == ("a", "b")


def test_a_damaged_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Whichever of its parts is missing, and whichever byte is another."""
    path = tmp_path / "model.skops"
    packed = fitted("numbers", "Table", "row", "x", "y").packed()
    content = skops.loads(packed, trusted=[*OURS, *THEIRS])
    for part in content.keys() - {"format"}:
        skops.dump({name: content[name] for name in content.keys() - {part}}, path)
        with pytest.raises(ModelFileError, match=f"not a readable model .*'?{part}"):
            load_model(path)
    for place in range(40, len(packed), 97):
        path.write_bytes(packed[:place] + bytes(8) + packed[place + 8 :])
        with suppress(ModelFileError):
            load_model(path)


def test_a_model_of_stretches_with_other_features_is_of_an_older_dubito(
    tmp_path: Path,
) -> None:
    path = tmp_path / "old.skops"
    skops.dump({"format": OLD_FORMAT_OF_STRETCHES}, path)

    with pytest.raises(ModelFileError, match="an older Dubito wrote"):
        load_model(path)
