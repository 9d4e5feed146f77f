"""Scanned PDFs: learnt by the looks of their pages, also among PDFs with text."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dubito.backend.export.fitted_model import ItemPrediction, load_model
from dubito.backend.export.model_zip import fit_model
from dubito.backend.export.new_items import read_items
from tests.exports import dataset_of, exported
from tests.label_studio import choices_config
from tests.pdf_files import Pixels, pdf
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner

CONFIG = choices_config("form", "letter", tag="Pdf", attributes='value="$doc"')
WORDS = {"form": "name, date of birth, signature", "letter": "dear madam, with regards"}
SCANS, LABELS = 28, 12


def label_of(number: int) -> str:
    return "letter" if number % 2 else "form"


def scan(number: int) -> Pixels:
    """Draw a form, which has boxes, or a letter, which has lines of words.

    Each lies elsewhere on its page, and has dust on it.
    """
    rng = np.random.default_rng(number)
    page = np.full((200, 150), 230, np.int64)
    top, left = rng.integers(5, 25, 2)
    for row in range(top, 170, 24 if label_of(number) == "form" else 8):
        if label_of(number) == "form":
            page[row : row + 16, left : left + 110] = 40
            page[row + 2 : row + 14, left + 2 : left + 108] = 230
        else:
            is_word = np.repeat(rng.random(22) < 0.8, 5)
            page[row : row + 4, left : left + 110][:, is_word] = 60
    page += rng.integers(-20, 20, page.shape)
    return np.repeat(page[:, :, None], 3, axis=2).clip(0, 255).astype(np.uint8)


def scanned(number: int) -> bytes:
    return pdf(scan(number), scan(number + 1_000))


def scanned_or_written(number: int) -> bytes:
    """Return a PDF without text, or one of text alone, two of each in turn."""
    words = f"{WORDS[label_of(number)]} and so on {number}"
    return scanned(number) if number % 4 < 2 else pdf(words)


def labelled(bench: Stand, document: Callable[[int], bytes]) -> tuple[int, list[int]]:
    """Make a project of PDFs, and label the first of them."""
    project = bench.label_studio.create_project("scans", CONFIG)
    files = {f"d{number}.pdf": document(number) for number in range(SCANS)}
    ids = bench.label_studio.upload_csv(project, files)
    bench.connect(project)
    for number, task in enumerate(ids[:LABELS]):
        bench.label_studio.annotate(task, label_of(number))
    bench.run()
    return project, ids


@pytest.mark.parametrize("document", [scanned, scanned_or_written])
def test_scans_of_two_sorts_are_told_apart(
    bench: Stand, document: Callable[[int], bytes]
) -> None:
    project, ids = labelled(bench, document)

    status = bench.assert_order_holds(project)
    assert (status["reads"]["kind"], status["set_aside"]) == ("pdf", 0)
    ranking = bench.state(project).ranking()
    assert ranking is not None
    is_right = [
        ranking.likeliest_of(task) == label_of(number)
        for number, task in enumerate(ids)
        if number >= LABELS
    ]
    assert np.mean(is_right) >= 0.85


def test_an_exported_model_reads_scans(bench: Stand, tmp_path: Path) -> None:
    project, _ = labelled(bench, scanned_or_written)
    file, new = tmp_path / "model.skops", tmp_path / "new"
    file.write_bytes(fit_model(bench.services, bench.state(project)).fitted.packed())
    new.mkdir()
    for number in range(100, 120):
        (new / f"{number}.pdf").write_bytes(scanned_or_written(number))
    (new / "blank.pdf").write_bytes(pdf(""))
    model = load_model(file)

    items = read_items(new, model)
    answers = dict(
        zip(items.names, model.answers(items.data, items.files), strict=True)
    )

    assert "blank" in str(answers.pop("blank.pdf"))
    is_right = [
        isinstance(one, ItemPrediction)
        and one.label == label_of(int(name.removesuffix(".pdf")))
        for name, one in answers.items()
    ]
    assert np.mean(is_right) >= 0.85


def test_scans_in_a_directory_are_replayed(tmp_path: Path) -> None:
    tasks = []
    for number in range(6):
        (tmp_path / f"{number}.pdf").write_bytes(scanned_or_written(number))
        address = f"/data/upload/1/0a1b2c3d-{number}.pdf"
        tasks.append(exported(number, {"doc": address}, label_of(number)))

    dataset = dataset_of(tasks, CONFIG, tmp_path)

    assert (dataset.kind, dataset.set_aside.total()) == ("pdf", 0)
    assert len(dataset.labelled.task_ids) == len(tasks)
