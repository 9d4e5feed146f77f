"""What an owner takes away: pressed in Chromium, and brought back to Label Studio."""

import csv
import io
import json
import zipfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from playwright.sync_api import Page

from tests.browser import Watch, barriers
from tests.dubito_process import Dubito, feature_rows
from tests.label_studio import CONTROL, ITEM, JsonObject, LabelStudio
from tests.published_order import assert_order_holds, scores

pytestmark = pytest.mark.end_to_end
COUNT = 40
LABELS = 12
CLASSES = ("rest", "walk, slowly", 'Läuft 🏃 & "more"', "=1+1")
SHOWN = ("Standing still", CLASSES[1], CLASSES[2], "Sum")


def config() -> str:
    """Return a config with aliases, and with names that are hard on every format."""
    choices = "".join(
        f"<Choice value={quoteattr(shown)} alias={quoteattr(name)}/>"
        if shown != name
        else f"<Choice value={quoteattr(name)}/>"
        for shown, name in zip(SHOWN, CLASSES, strict=True)
    )
    return (
        f'<View><Text name="{ITEM}" value="$row"/><Choices name="{CONTROL}"'
        f' toName="{ITEM}" choice="single">{choices}</Choices></View>'
    )


@pytest.fixture
def project(real_label_studio: LabelStudio, dubito: Dubito) -> int:
    """Make and connect a project in which some tasks have their label."""
    made = real_label_studio.create_project("</script> to take away", config())
    rows = feature_rows(COUNT, CLASSES)
    ids = real_label_studio.import_tasks(made, [data for data, _ in rows])
    for task, (_, label) in list(zip(ids, rows, strict=True))[:LABELS]:
        real_label_studio.annotate(task, label)
    dubito.connect(made)
    dubito.settled(made)
    return made


def download(page: Page, name: str, folder: Path) -> Path:
    """Press a link, and return the file that comes."""
    with page.expect_download() as coming:
        page.locator("#takeaway").get_by_role("link", name=name).click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def test_all_is_taken_away_from_the_page_and_can_be_brought_back(
    page: Page,
    dubito: Dubito,
    real_label_studio: LabelStudio,
    project: int,
    tmp_path: Path,
) -> None:
    watch = Watch(page)
    page.goto(f"{dubito.url}/projects/{project}")
    labels = download(page, "Labels as CSV", tmp_path)
    predictions = download(page, "Predictions in Label Studio", tmp_path)
    page.get_by_role("button", name="Train the model").click()
    model = download(page, "Model with a prediction script", tmp_path)
    report = download(page, "This page as one", tmp_path)
    assert barriers(page) == []
    assert watch.complaints == []
    assert watch.strangers(dubito.url) == []

    check_labels(labels, real_label_studio, project)
    with zipfile.ZipFile(model) as archive:
        assert archive.testzip() is None
    check_report(page, report)
    dubito.until(
        lambda: len(scores(real_label_studio, project)) == COUNT - LABELS,
        "some open task has no score",
    )
    bring_back(predictions, real_label_studio, project)
    assert_order_holds(dubito, real_label_studio, project)


def check_labels(path: Path, there: LabelStudio, project: int) -> None:
    """Compare a file of labels with Label Studio's own export."""
    lines = list(csv.DictReader(io.StringIO(path.read_text(), newline="")))
    labels = [
        {
            "task": str(task["id"]),
            "label": answer["result"][0]["value"]["choices"][0],
            "annotator": str(answer["completed_by"]),
            "updated_at": answer["updated_at"],
        }
        for task in sorted(there.export(project), key=lambda task: task["id"])
        for answer in task["annotations"]
    ]
    assert len(labels) == LABELS
    for line in lines:
        line["label"] = line["label"].removeprefix("'")
    assert lines == labels


def bring_back(path: Path, there: LabelStudio, project: int) -> None:
    """Import predictions in bulk: what is not valid would be dropped in silence."""
    before = scores(there, project)
    content: list[JsonObject] = json.loads(path.read_text())
    assert len(content) == COUNT

    imported = there.call(
        "POST", f"/api/projects/{project}/import/predictions", json=content
    )

    assert imported["created"] == COUNT
    rows = there.predictions(project)
    kept = [row for row in rows if row["model_version"] == "dubito-export"]
    labels = {row["task"]: row["result"][0]["value"]["choices"] for row in kept}
    assert labels == {
        one["task"]: one["result"][0]["value"]["choices"] for one in content
    }
    assert scores(there, project) == before


def test_tasks_with_predictions_are_imported_into_another_project(
    dubito: Dubito, real_label_studio: LabelStudio, project: int, tmp_path: Path
) -> None:
    path = tmp_path / "all.tasks.json"
    arguments = ("--project", str(project), "--what", "predictions", "-o", str(path))
    assert dubito.cli("export", *arguments).returncode == 0
    other = real_label_studio.create_project("another", config())

    ids = real_label_studio.import_tasks(other, json.loads(path.read_text()))

    rows = real_label_studio.predictions(other)
    assert sorted(row["task"] for row in rows) == ids
    assert {row["model_version"] for row in rows} == {"dubito-export"}
    labels = {row["result"][0]["value"]["choices"][0] for row in rows}
    assert labels <= {*CLASSES}


def check_report(page: Page, path: Path) -> None:
    """Open a report from disk, without a network."""
    page.goto("about:blank")
    page.context.set_offline(offline=True)
    watch = Watch(page)
    page.goto(path.as_uri())
    page.wait_for_selector("#glance .figure")
    assert page.inner_text("#title") == "</script> to take away"
    assert "Report of 20" in page.inner_text("header")
    assert page.locator("#takeaway").is_hidden()
    assert page.locator("#health button").count() == 0
    page.wait_for_timeout(3_000)  # the page itself asks every two seconds
    assert barriers(page) == []
    assert watch.complaints == []
    assert watch.strangers(path.as_uri()) == []
