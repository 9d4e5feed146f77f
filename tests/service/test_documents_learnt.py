"""Dialogues, pages and PDFs in files: learnt, the bad set aside, and shown."""

import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pytest
from PIL import Image

from dubito.backend.status import task_items
from dubito.backend.web.app import create_app
from tests.label_studio import JsonObject, choices_config
from tests.pdf_files import locked_pdf, pdf
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner

WORDS = {"fruit": "apple pear plum", "tools": "hammer saw drill"}


@dataclass(frozen=True, kw_only=True)
class Documents:
    """A kind of documents: how a text is written in one, and what is none."""

    tag: str
    attributes: str
    written: Callable[[str], bytes]
    bad: bytes
    why: str
    shown: str = "{}"


DIALOGUES = Documents(
    tag="Paragraphs",
    attributes='valueType="url" nameKey="who" textKey="said"',
    written=lambda text: orjson.dumps([{"who": "Ann", "said": text}]),
    bad=b"[]",
    why="no turn of the dialogue has a text under 'said'",
    shown="Ann: {}",
)
PAGES = Documents(
    tag="HyperText",
    attributes='valueType="url"',
    written=lambda text: f"<script>x</script><p>{text}</p>".encode(),
    bad=b"<script>x</script>",
    why="no text under 'doc'",
)
PDFS = Documents(
    tag="Pdf",
    attributes="",
    written=pdf,
    bad=locked_pdf(),
    why="the PDF is protected by a password",
)


def label_of(number: int) -> str:
    return "tools" if number % 2 else "fruit"


def text_of(number: int) -> str:
    return f"{WORDS[label_of(number)]} and so on {number}"


def project_of(bench: Stand, kind: Documents, count: int = 7) -> tuple[int, list[int]]:
    """Make a project of some documents and a bad one; label up to four."""
    attributes = f'value="$doc" {kind.attributes}'
    config = choices_config("fruit", "tools", tag=kind.tag, attributes=attributes)
    project = bench.label_studio.create_project("documents", config)
    files = {f"d{n}": kind.written(text_of(n)) for n in range(count)} | {
        "bad": kind.bad
    }
    ids = bench.label_studio.upload_csv(project, files)
    bench.connect(project)
    for number, task in enumerate(ids[: min(4, count - 1)]):
        bench.label_studio.annotate(task, label_of(number))
    bench.run()
    return project, ids


def seen(bench: Stand, project: int, task: int) -> JsonObject:
    http = create_app(bench.services).test_client()
    return dict(http.get(f"/api/projects/{project}/tasks/{task}").get_json())


@pytest.mark.parametrize("kind", [DIALOGUES, PAGES, PDFS], ids=lambda kind: kind.tag)
def test_documents_are_learnt_and_shown(bench: Stand, kind: Documents) -> None:
    project, ids = project_of(bench, kind)

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pool"]) == (4, 1, 3)
    assert kind.why in status["set_aside_reasons"][0]
    ranking = bench.state(project).ranking()
    assert ranking is not None
    assert [ranking.likeliest_of(task) for task in ids[:7]] == [
        label_of(number) for number in range(7)
    ]
    detail = seen(bench, project, ids[5])
    assert (detail["text"], detail["note"]) == (kind.shown.format(text_of(5)), "")
    links = [str(item["document"]) for item in detail["items"]]
    assert len(links) == (kind is PDFS)
    assert all(one.startswith(f"{bench.server.url}/data/upload/") for one in links)


def test_nothing_is_shown_of_a_task_with_a_file_of_another_project(
    bench: Stand,
) -> None:
    """The text that is kept holds the words of both objects."""
    _, [secret, *_] = project_of(bench, PAGES, count=1)
    address = bench.label_studio.task(secret)["data"]["doc"]
    beside = '<HyperText name="also" value="$also" valueType="url"/></View>'
    config = choices_config("a", "b").replace("</View>", beside)
    project = bench.label_studio.create_project("spying", config)
    data = {"text": "good", "also": address}
    [task] = bench.label_studio.import_tasks(project, [data])
    bench.connect(project)
    assert bench.status(project)["reads"]["kind"] == "objects"

    detail = seen(bench, project, task)

    assert (detail["text"], detail["note"]) == ("good", task_items.FOREIGN)


def pages_of(number: int) -> list[str]:
    """Draw two pages, light or dark, as addresses that hold their data."""
    light = 40 if number % 2 else 200
    return [picture(light), picture(light + number)]


def picture(light: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (light, light, light)).save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def test_lists_of_images_are_learnt_and_shown(bench: Stand) -> None:
    config = choices_config(
        "fruit", "tools", tag="Image", attributes='valueList="$pages"'
    )
    project = bench.label_studio.create_project("letters", config)
    letters: list[JsonObject] = [{"pages": pages_of(n)} for n in range(10)]
    ids = bench.label_studio.import_tasks(project, [*letters, {"pages": ["none"]}])
    bench.connect(project)
    for number, task in enumerate(ids[:4]):
        bench.label_studio.annotate(task, label_of(number))
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pool"]) == (4, 1, 6)
    ranking = bench.state(project).ranking()
    assert ranking is not None
    assert ranking.likeliest_of(ids[5]) == label_of(5)
    detail = seen(bench, project, ids[5])
    assert [item["image"] for item in detail["items"]] == letters[5]["pages"]
    assert (detail["items_left_out"], detail["note"]) == (0, "")


@pytest.mark.parametrize("kind", [PAGES, PDFS], ids=lambda kind: kind.tag)
def test_a_document_of_another_project_is_not_shown(
    bench: Stand, kind: Documents
) -> None:
    _, [secret, *_] = project_of(bench, kind, count=1)
    address = bench.label_studio.task(secret)["data"]["doc"]
    config = choices_config("a", "b", tag=kind.tag, attributes='value="$doc"')
    project = bench.label_studio.create_project("spying", config)
    [task] = bench.label_studio.import_tasks(project, [{"doc": address}])
    bench.connect(project)

    detail = seen(bench, project, task)

    assert (detail["text"], detail["numbers"]) == (None, [])
    assert detail["note"] == task_items.FOREIGN
