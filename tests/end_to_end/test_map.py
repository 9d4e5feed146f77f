"""The map in a real browser, beside a real Label Studio: seen, pointed at, opened."""

import io
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from dubito.backend.demo import sample
from dubito.backend.demo.sample_project import make_project, upload_recordings
from dubito.backend.labelstudio.client import LabelStudioClient
from tests.browser import PHONE, Watch, barriers, overflow, wait_until
from tests.dubito_process import Dubito, dubito_running
from tests.editor import sign_in
from tests.label_studio import JsonObject, LabelStudio, choice_result, choices_config
from tests.videos import web_clip

pytestmark = pytest.mark.end_to_end

LABELS = 12
CHANNELS = sum(len(sensor.columns) for sensor in sample.SENSORS)
PICTURES = 12
PLACE = """(section, i) => {
    const { view } = section.panel;
    const box = view.canvas.getBoundingClientRect();
    return [box.x + view.placeX(i), box.y + view.placeY(i)];
}"""
INKED = """section => {
    const { view } = section.panel;
    const { width, height } = view.canvas;
    const { data } = view.context.getImageData(0, 0, width, height);
    const pixel = (place) => Math.floor(place * window.devicePixelRatio);
    return Array.from(view.u, (_, i) => {
        const [x, y] = [pixel(view.placeX(i)), pixel(view.placeY(i))];
        return data[4 * (y * width + x) + 3] > 0;
    });
}"""


@pytest.fixture(scope="module")
def dubito(real_label_studio: LabelStudio) -> Iterator[Dubito]:
    with dubito_running(real_label_studio.url, real_label_studio.token) as dubito:
        yield dubito


def labelled(label_studio: LabelStudio, task: int) -> int:
    """Let somebody say what the recording is of; return the annotation."""
    address = label_studio.task(task)["data"][sample.DATA_KEY]
    [region] = choice_result(sample.answers()[address.rpartition("/")[2][9:]])
    result = [{**region, "from_name": "activity", "to_name": "recording"}]
    return label_studio.annotate(task, result)


@pytest.fixture(scope="module")
def project(real_label_studio: LabelStudio, dubito: Dubito) -> int:
    """Label some recordings of the sample."""
    label_studio = real_label_studio
    with closing(LabelStudioClient.open(label_studio.url, label_studio.token)) as api:
        project = make_project(api)
        upload_recordings(api, project)
    for task in label_studio.task_ids(project)[:LABELS]:
        labelled(label_studio, task)
    dubito.connect(project)
    dubito.when(project, lambda status: status["round"] and not status["pending"])
    dubito.settled(project)
    until_drawn(dubito, project)
    return project


def until_drawn(dubito: Dubito, project: int) -> None:
    """Wait until the better map has been drawn, which no other will follow."""
    path = f"/api/projects/{project}/map"
    dubito.until(
        lambda: bool(dubito.http.get(path).json()["settled"]), "no map was drawn"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The map of a project on the screen."""

    page: Page
    view: dict[str, Any]

    @property
    def section(self) -> Locator:
        return self.page.locator("#map")

    @property
    def card(self) -> Locator:
        return self.section.locator(".card")

    def run(self, script: str, argument: object = None) -> Any:  # noqa: ANN401 - JSON
        return self.section.evaluate(script, argument)

    def row(self, task: int) -> int:
        return int(self.view["tasks"].index(task))

    def place(self, task: int) -> tuple[float, float]:
        x, y = self.run(PLACE, self.row(task))
        return float(x), float(y)

    def lonely(self) -> int:
        """Return the task that lies farthest from all others."""
        points = np.column_stack([self.view["x"], self.view["y"]])
        away = np.abs(points[:, None] - points[None]).max(axis=2)
        np.fill_diagonal(away, np.inf)
        return int(self.view["tasks"][int(away.min(axis=1).argmax())])


def show(page: Page, dubito: Dubito, project: int) -> Shown:
    page.goto(f"{dubito.url}/projects/{project}")
    page.locator("#map").scroll_into_view_if_needed()
    page.locator("#map canvas[data-points]").wait_for()
    wait_until(page, "document.getElementById('map').panel.view.drawn > 0")
    page.locator("#map canvas").scroll_into_view_if_needed()
    view = dubito.http.get(f"/api/projects/{project}/map").raise_for_status().json()
    return Shown(page=page, view=dict(view))


def test_every_point_is_that_of_the_json(
    page: Page, dubito: Dubito, project: int
) -> None:
    watch = Watch(page)
    shown = show(page, dubito, project)

    assert shown.run("section => section.panel.map") == shown.view
    assert shown.run("section => section.panel.view.drawn") == shown.view["shown"]
    assert all(shown.run(INKED))
    across = shown.run("section => [...section.panel.view.u]")
    down = shown.run("section => [...section.panel.view.v]")
    assert np.corrcoef(across, shown.view["x"])[0, 1] == pytest.approx(1)
    assert np.corrcoef(down, shown.view["y"])[0, 1] == pytest.approx(-1)
    counts = shown.section.locator(".classes small").all_text_contents()
    assert sum(map(int, counts)) == shown.view["total"] == len(sample.answers())
    assert sum(code >= 0 for code in shown.view["label"]) == LABELS
    assert shown.view["method"] == "tsne"
    assert watch.complaints == []
    assert watch.strangers(dubito.url) == []


def test_pointing_at_a_task_shows_it_and_a_click_opens_it(
    page: Page, dubito: Dubito, project: int, real_label_studio: LabelStudio
) -> None:
    watch = Watch(page)
    shown = show(page, dubito, project)
    task = shown.lonely()

    page.mouse.move(*shown.place(task))

    expect(shown.card.locator("h3")).to_have_text(f"task {task}")
    expect(shown.card.locator("svg.trace")).to_have_count(min(8, CHANNELS))
    with page.context.expect_page() as opened:
        page.mouse.click(*shown.place(task))
    opened.value.wait_for_url(f"{real_label_studio.url}/**")
    assert str(task) in opened.value.url
    opened.value.close()
    assert watch.complaints == []


def test_the_keyboard_is_enough(page: Page, dubito: Dubito, project: int) -> None:
    shown = show(page, dubito, project)
    shown.section.locator("canvas").focus()

    page.keyboard.press("ArrowRight")

    first = shown.view["window"][0]
    expect(shown.card.locator("h3")).to_have_text(f"task {first}")
    expect(shown.card).to_contain_text("Number 1 in the queue")
    page.keyboard.press("ArrowDown")
    expect(shown.card.locator("h3")).not_to_have_text(f"task {first}")
    second = int(shown.card.locator("h3").inner_text().removeprefix("task "))
    y = [shown.view["y"][shown.row(task)] for task in (first, second)]
    assert y[1] < y[0]
    page.keyboard.press("+")
    assert shown.run("section => section.panel.view.zoom") > 1
    page.keyboard.press("0")
    assert shown.run("section => section.panel.view.zoom") == 1
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    opened.value.close()
    page.keyboard.press("Escape")
    expect(shown.card).to_contain_text("No task is selected")


def test_a_class_can_be_hidden(page: Page, dubito: Dubito, project: int) -> None:
    shown = show(page, dubito, project)
    button = shown.section.locator(".classes button").first
    expect(button).to_have_attribute("aria-pressed", "true")
    count = int(button.locator("small").inner_text())

    button.click()

    expect(button).to_have_attribute("aria-pressed", "false")
    left = shown.view["shown"] - count
    wait_until(
        page,
        "left => document.getElementById('map').panel.view.drawn === left",
        arg=left,
    )


def test_the_least_certain_are_listed_for_who_cannot_see_them(
    page: Page, dubito: Dubito, project: int
) -> None:
    shown = show(page, dubito, project)

    listed = shown.section.locator("ol a").all_text_contents()

    view = shown.view
    rows = [
        row
        for row, code in enumerate(view["label"])
        if code < 0 and view["certainty"][row] is not None
    ]
    rows.sort(key=lambda row: (view["certainty"][row], row))
    assert listed == [f"task {view['tasks'][row]}" for row in rows[:20]]


def test_nobody_is_kept_out(page: Page, dubito: Dubito, project: int) -> None:
    shown = show(page, dubito, project)
    shown.section.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    shown.card.locator("svg.trace").first.wait_for()
    shown.section.locator("summary").click()

    assert barriers(page) == []


def test_a_phone_shows_it(page: Page, dubito: Dubito, project: int) -> None:
    page.set_viewport_size(PHONE)
    shown = show(page, dubito, project)

    shown.section.locator("canvas").press("ArrowRight")

    shown.card.locator("svg.trace").first.wait_for()
    assert overflow(page) <= 0


def test_the_map_follows_without_a_reload(
    page: Page, dubito: Dubito, project: int, real_label_studio: LabelStudio
) -> None:
    shown = show(page, dubito, project)
    task = real_label_studio.next_task(project)
    assert task is not None

    annotation = labelled(real_label_studio, task)

    wait_until(
        page,
        "row => document.getElementById('map').panel.map.label[row] >= 0",
        arg=shown.row(task),
    )
    real_label_studio.delete_annotation(annotation)


def test_a_report_has_the_map_without_asking_anybody(
    page: Page, dubito: Dubito, project: int
) -> None:
    """One file that was sent to somebody: what is not in it cannot be looked up."""
    view = dubito.http.get(f"/api/projects/{project}/map").json()
    kept = json.dumps({"status": dubito.status(project), "map": view})
    packed = kept.replace("<", "\\u003c")
    whole = dubito.http.get(f"/projects/{project}").text.replace(
        "</main>",
        f'</main><script id="kept" type="application/json">{packed}</script>',
    )
    whole = re.sub(r"<section id=\"(?!map).*?</section>", "", whole)
    page.route("**/report.html", lambda route: route.fulfill(body=whole))
    watch = Watch(page)

    page.goto(f"{dubito.url}/report.html")
    page.locator("#map canvas[data-points]").wait_for()
    page.locator("#map canvas").press("ArrowRight")

    card = page.locator("#map .card")
    expect(card.locator("h3")).to_have_text(f"task {view['window'][0]}")
    page.wait_for_timeout(500)
    assert card.locator("svg").count() == 0
    assert not [url for url in watch.asked if "/api/" in url]
    assert watch.complaints == []


def pictures(label_studio: LabelStudio) -> int:
    """Upload pictures, and have a project of them."""
    config = choices_config("dark", "light", tag="Image", attributes='value="$image"')
    project = label_studio.create_project("pictures", config)
    for number in range(PICTURES):
        file = io.BytesIO()
        Image.new("RGB", (40, 30), (20 * number, 40, 90)).save(file, "PNG")
        upload = {"file": (f"p{number}.png", file.getvalue(), "image/png")}
        label_studio.call("POST", f"/api/projects/{project}/import", files=upload)
    return project


def log_in(page: Page, label_studio: LabelStudio) -> None:
    """Log in, and leave the page that Label Studio opens: it may still be loading."""
    page.goto(f"{label_studio.url}/user/login")
    sign_in(page)
    page.wait_for_url(lambda url: "login" not in url)
    page.goto("about:blank")


def test_a_video_plays_for_who_is_logged_in_to_label_studio(
    page: Page, dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    config = choices_config("blue", "red", tag="Video", attributes='value="$clip"')
    project = real_label_studio.create_project("videos", config)
    clips = {f"{n}.webm": web_clip("blue" if n % 2 else "red") for n in range(6)}
    real_label_studio.upload(project, clips, "video/webm")
    dubito.connect(project)
    dubito.when(project, lambda status: status["round"] and not status["pending"])
    log_in(page, real_label_studio)
    watch = Watch(page)

    shown = show(page, dubito, project)
    shown.section.locator("canvas").press("ArrowRight")

    shown.card.locator("video").wait_for()
    wait_until(page, "document.querySelector('#map video')?.videoWidth === 64")
    page.evaluate("document.querySelector('#map video').play()")
    wait_until(page, "document.querySelector('#map video').currentTime > 0.2")
    assert watch.complaints == []


def test_a_picture_is_seen_by_who_is_logged_in_to_label_studio(
    page: Page, dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """By the viewer's own session; Dubito's key shows it to nobody."""
    project = pictures(real_label_studio)
    dubito.connect(project)
    dubito.when(project, lambda status: status["round"] and not status["pending"])
    shown = show(page, dubito, project)
    canvas = shown.section.locator("canvas")

    canvas.press("ArrowRight")
    shown.card.get_by_text("log in to Label Studio").wait_for()
    log_in(page, real_label_studio)
    shown = show(page, dubito, project)
    shown.section.locator("canvas").press("ArrowRight")

    picture = shown.card.locator("img.picture")
    picture.wait_for()
    wait_until(page, "document.querySelector('#map .picture')?.naturalWidth === 40")
    source: JsonObject = {"src": picture.get_attribute("src")}
    assert str(source["src"]).startswith(f"{real_label_studio.url}/data/upload/")


def inline(number: int) -> str:
    """Return a picture as the data of a task may hold it."""
    file = io.BytesIO()
    Image.new("RGB", (60, 40), (15 * number, 90, 250 - 15 * number)).save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


PAIR = (
    '<View><Image name="one" value="$one"/><Image name="two" value="$two"/>'
    '<Pairwise name="label" toName="one,two"/></View>'
)
LIST = choices_config("dark", "light", tag="Image", attributes='valueList="$pages"')
SEVERAL: dict[str, tuple[str, list[JsonObject], list[str], list[str]]] = {
    "pair": (
        PAIR,
        [{"one": inline(n), "two": inline(15 - n)} for n in range(PICTURES)],
        ["left", "right"],
        ["The left image", "The right image"],
    ),
    "list": (
        LIST,
        [{"pages": [inline(k) for k in range(n, n + 15)]} for n in range(2)] * 4,
        [*map(str, range(1, 13))],
        [f"Image {n}" for n in range(1, 13)],
    ),
}


def first_shown(
    page: Page, dubito: Dubito, label_studio: LabelStudio, name: str
) -> Shown:
    """Make a project whose tasks show several images, and point at its first task."""
    config, tasks, *_ = SEVERAL[name]
    project = label_studio.create_project(name, config)
    label_studio.import_tasks(project, [{"data": data} for data in tasks])
    dubito.connect(project)
    dubito.when(project, lambda status: status["round"] and not status["pending"])
    shown = show(page, dubito, project)
    shown.section.locator("canvas").press("ArrowRight")
    shown.card.locator("figure").first.wait_for()
    return shown


@pytest.mark.parametrize("name", SEVERAL)
def test_the_images_of_a_task_are_seen_with_their_names(
    page: Page, dubito: Dubito, real_label_studio: LabelStudio, name: str
) -> None:
    *_, names, texts = SEVERAL[name]
    watch = Watch(page)

    shown = first_shown(page, dubito, real_label_studio, name)

    assert shown.card.locator("figcaption").all_text_contents() == names
    images = shown.card.get_by_role("img")
    assert [one.get_attribute("alt") for one in images.all()] == texts
    wait_until(
        page,
        "[...document.querySelectorAll('#map img')].every((one) => one.naturalWidth)",
    )
    assert shown.card.locator(".numbers").count() == 0
    assert shown.card.get_by_text("and 3 more").count() == (name == "list")
    assert barriers(page) == []
    assert watch.complaints == []


def test_a_long_list_of_images_is_seen_by_keyboard_on_a_phone(
    page: Page, dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    page.set_viewport_size(PHONE)
    shown = first_shown(page, dubito, real_label_studio, "list")
    last = shown.card.locator("figure").last
    expect(last).not_to_be_in_viewport()

    shown.section.get_by_role("button", name="Show all").focus()
    page.keyboard.press("Tab")
    expect(shown.card).to_be_focused()
    page.keyboard.press("End")

    expect(last).to_be_in_viewport(ratio=0.9)
    assert overflow(page) <= 0
