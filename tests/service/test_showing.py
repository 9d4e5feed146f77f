"""One task, as a person sees it: its content, and nothing that is not its own."""

import math
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from dubito.backend.data_kinds.recordings import DRAWN_CHANNELS, DRAWN_SAMPLES
from dubito.backend.status import task_items as showing
from dubito.backend.status.task_preview import LONGEST_TEXT, MOST_NUMBERS
from dubito.backend.web.app import create_app
from tests.dubito_process import rows_project
from tests.elsewhere import Elsewhere, elsewhere_listening
from tests.fake_label_studio import FakeServer, Fault
from tests.label_studio import JsonObject, choices_config
from tests.service.stand import Stand, stand

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4"
    "nGNgYPhfDwAChAGA1BjD1wAAAABJRU5ErkJggg=="
)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with elsewhere_listening() as listening:
        yield listening


def asked(bench: Stand, project: int, task: object) -> Any:  # noqa: ANN401 - the JSON border
    http = create_app(bench.services).test_client()
    return http.get(f"/api/projects/{project}/tasks/{task}")


def seen(bench: Stand, project: int, task: int) -> dict[str, Any]:
    response = asked(bench, project, task)
    assert response.status_code == 200, response.json
    return dict(response.json)


def item_of(detail: dict[str, Any]) -> dict[str, Any]:
    """Return the only item that a task shows."""
    [item] = detail["items"]
    return dict(item)


def series_config(columns: str = "xy", value_type: str = "url") -> str:
    channels = "".join(f'<Channel column="{name}"/>' for name in columns)
    return (
        f'<View><TimeSeries name="item" value="$csv" valueType="{value_type}"'
        f' timeColumn="t" sep=",">{channels}</TimeSeries>'
        '<Choices name="label" toName="item"><Choice value="a"/><Choice value="b"/>'
        "</Choices></View>"
    )


def swing(count: int) -> str:
    """Return a recording that swings, with one stroke."""
    lines = [f"{n},{math.sin(n / 9):.4f},{n == count // 3:d}" for n in range(count)]
    return "\n".join(["t,x,y", *lines])


def recordings(bench: Stand, *contents: str) -> tuple[int, list[int]]:
    project = bench.label_studio.create_project("recordings", series_config())
    files = {f"r{n}": content for n, content in enumerate(contents)}
    return project, bench.label_studio.upload_csv(project, files)


def one_task(bench: Stand, config: str, data: JsonObject) -> tuple[int, int]:
    project = bench.label_studio.create_project("one", config)
    [task] = bench.label_studio.import_tasks(project, [{"data": data}])
    bench.connect(project)
    return project, task


def test_a_row_of_numbers_is_shown_with_what_is_thought_of_it(bench: Stand) -> None:
    rows = bench.labelled_rows(count=40, labels=8)
    first = bench.status(rows.project)["window"][0]
    data = bench.label_studio.task(first["task"])["data"]

    detail = seen(bench, rows.project, first["task"])

    numbers = {number["name"]: number["value"] for number in detail["numbers"]}
    assert numbers == {name: data[name] for name in data if name != "row"}
    assert (detail["place"], detail["why"]) == (1, first["why"])
    assert detail["certainty"] == pytest.approx(first["certainty"], abs=1e-3)
    assert detail["predicted"] in rows.truth.values()
    assert detail["label"] is None
    url = f"{bench.server.url}/projects/{rows.project}/data?task={first['task']}"
    assert detail["link"] == url
    assert (detail["text"], detail["items"]) == (None, [])
    assert (detail["note"], detail["refused"]) == ("", "")


def test_a_labelled_task_is_shown_with_its_label(bench: Stand) -> None:
    rows = bench.labelled_rows(count=40, labels=8)

    detail = seen(bench, rows.project, rows.tasks[0])

    assert detail["label"] == rows.truth[rows.tasks[0]]
    assert (detail["place"], detail["why"]) == (None, None)


def test_for_what_we_hold_label_studio_is_not_asked(bench: Stand) -> None:
    """A pointer that moves over the map must not keep annotators waiting."""
    rows = bench.labelled_rows(count=40, labels=8)
    before = len(bench.faults.requests)

    seen(bench, rows.project, rows.tasks[0])

    assert len(bench.faults.requests) == before


def test_a_task_is_looked_at_without_a_prediction_being_asked_for(bench: Stand) -> None:
    """To open a task by itself makes Label Studio ask us for a prediction."""
    project, [task] = recordings(bench, swing(30))
    bench.connect(project)
    before = len(bench.faults.requests)

    seen(bench, project, task)

    paths = [path for _, path in bench.faults.requests[before:]]
    assert len(paths) == 2
    assert paths[0].startswith("/api/tasks")
    assert not paths[0].startswith("/api/tasks/")
    assert paths[1].startswith("/data/upload/")


def test_a_text_is_shown_in_short(bench: Stand) -> None:
    text = "a good day " * 200

    project, task = one_task(bench, choices_config("a", "b"), {"text": text})

    detail = seen(bench, project, task)["text"]
    assert text.startswith(detail.removesuffix(" …"))
    assert detail.endswith(" …")
    assert len(detail) <= LONGEST_TEXT + 2


def test_only_the_first_numbers_are_shown_and_the_rest_counted(bench: Stand) -> None:
    config = choices_config("a", "b", attributes='value="$row"')
    numbers = {f"f{n:02}": n + 0.5 for n in range(MOST_NUMBERS + 6)}
    project = bench.label_studio.create_project("wide", config)
    rows = [{k: v * n for k, v in numbers.items()} for n in range(1, 5)]
    task, *_ = bench.label_studio.import_tasks(
        project, [{"data": {"row": f"row {n}", **row}} for n, row in enumerate(rows)]
    )
    bench.connect(project)

    detail = seen(bench, project, task)

    assert len(detail["numbers"]) == MOST_NUMBERS
    assert detail["numbers_left_out"] == 6


def test_a_recording_is_shown_thinned_its_strokes_kept(bench: Stand) -> None:
    project, [task, _short] = recordings(bench, swing(5_000), swing(50))
    bench.connect(project)

    trace = item_of(seen(bench, project, task))["trace"]

    assert (trace["samples"], trace["channels_left_out"]) == (5_000, 0)
    assert [channel["name"] for channel in trace["channels"]] == ["x", "y"]
    for channel in trace["channels"]:
        assert len(channel["at"]) == len(channel["values"]) <= DRAWN_SAMPLES
    assert max(trace["channels"][1]["values"]) == 1
    assert trace["channels"][1]["at"][0] == 0


def test_a_short_recording_is_shown_whole(bench: Stand) -> None:
    project, [task] = recordings(bench, swing(50))
    bench.connect(project)

    [x, _y] = item_of(seen(bench, project, task))["trace"]["channels"]

    assert x["at"] == list(range(50))
    assert x["values"][9] == pytest.approx(math.sin(1), abs=1e-4)


def test_of_many_channels_the_first_are_shown(bench: Stand) -> None:
    names = "abcdefghijkl"
    data = {name: [1.0, 2.0, float(n)] for n, name in enumerate(names)}
    config = series_config(names, "json")

    project, task = one_task(bench, config, {"csv": data})

    trace = item_of(seen(bench, project, task))["trace"]
    assert len(trace["channels"]) == DRAWN_CHANNELS
    assert trace["channels_left_out"] == len(names) - DRAWN_CHANNELS


def test_an_upload_of_another_project_is_not_shown(bench: Stand) -> None:
    """The key may read it; whoever looks at the page perhaps not."""
    other, [secret] = recordings(bench, swing(40))
    address = bench.label_studio.task(secret)["data"]["csv"]
    assert address.startswith(f"/data/upload/{other}/")

    project, task = one_task(bench, series_config(), {"csv": address})

    detail = seen(bench, project, task)
    assert (detail["items"], detail["numbers"], detail["text"]) == ([], [], None)
    assert detail["note"] == showing.FOREIGN


def test_a_text_file_of_another_project_is_not_shown(bench: Stand) -> None:
    """It was read to learn from it, and is held: that does not make it public."""
    _other, [secret] = recordings(bench, "a secret diary\n1\n")
    address = bench.label_studio.task(secret)["data"]["csv"]
    config = choices_config("a", "b", attributes='value="$text" valueType="url"')

    project, task = one_task(bench, config, {"text": address})

    detail = seen(bench, project, task)
    assert (detail["text"], detail["numbers"]) == (None, [])
    assert detail["note"] == showing.FOREIGN


def test_an_own_text_file_is_shown(bench: Stand) -> None:
    config = choices_config("a", "b", attributes='value="$csv" valueType="url"')
    project = bench.label_studio.create_project("texts", config)
    [task] = bench.label_studio.upload_csv(project, {"r": "a good day"})
    bench.connect(project)

    detail = seen(bench, project, task)

    assert (detail["text"], detail["note"]) == ("a good day", "")


def test_a_file_that_label_studio_cannot_give_is_said_to_be_missing(
    bench: Stand,
) -> None:
    project, [task] = recordings(bench, swing(40))
    bench.connect(project)
    bench.faults.plan(Fault(path="/data/upload", status=503))

    detail = seen(bench, project, task)

    assert item_of(detail)["trace"] is None
    assert "cannot be fetched now (status 503)" in item_of(detail)["note"]


def test_a_label_studio_that_is_away_is_said_to_be(bench: Stand) -> None:
    project, [task] = recordings(bench, swing(40))
    bench.connect(project)
    bench.faults.plan(Fault(path="/api/tasks", status=502, html=True, times=9))

    detail = seen(bench, project, task)

    assert detail["items"] == []
    assert detail["note"].startswith("The task cannot be shown now: ")
    assert detail["link"]


def test_a_file_too_large_to_be_shown_is_not_read_whole(bench: Stand) -> None:
    large = swing(3) + "\n" + "9,0.123456789012345678,0\n" * 230_000
    assert len(large) > showing.LARGEST_BYTES
    project, [task] = recordings(bench, large)
    bench.connect(project)

    detail = seen(bench, project, task)

    assert item_of(detail)["trace"] is None
    assert "is larger than 5 MB" in item_of(detail)["note"]


def test_of_many_who_look_some_are_sent_away_rather_than_all_threads_taken(
    bench: Stand,
) -> None:
    project, [task] = recordings(bench, swing(40))
    bench.connect(project)
    assert showing.AT_ONCE.acquire()
    assert showing.AT_ONCE.acquire()
    try:
        detail = seen(bench, project, task)
    finally:
        showing.AT_ONCE.release(2)

    assert (detail["items"], detail["note"]) == ([], showing.BUSY)
    assert item_of(seen(bench, project, task))["trace"] is not None


IMAGES = choices_config("a", "b", tag="Image", attributes='value="$photo"')


def test_a_picture_is_fetched_by_the_viewers_own_browser(bench: Stand) -> None:
    """The address only: Dubito's key does not read it for them."""
    project = bench.label_studio.create_project("pictures", IMAGES)
    address = f"/data/upload/{project}/a cat.png"
    [task] = bench.label_studio.import_tasks(project, [{"data": {"photo": address}}])
    bench.connect(project)
    before = len(bench.faults.requests)

    detail = seen(bench, project, task)

    assert (
        item_of(detail)["image"]
        == f"{bench.server.url}/data/upload/{project}/a%20cat.png"
    )
    asked_for = [path for _, path in bench.faults.requests[before:]]
    assert not any(path.startswith("/data") for path in asked_for)


def test_a_sound_is_fetched_by_the_viewers_own_browser(bench: Stand) -> None:
    config = choices_config("a", "b", tag="Audio", attributes='value="$clip"')
    project, task = one_task(bench, config, {"clip": "/data/upload/1/a song.mp3"})

    detail = seen(bench, project, task)

    assert item_of(detail)["audio"] == f"{bench.server.url}/data/upload/1/a%20song.mp3"
    assert item_of(detail)["image"] is None


def test_a_video_is_fetched_by_the_viewers_own_browser(bench: Stand) -> None:
    config = choices_config("a", "b", tag="Video", attributes='value="$clip"')
    project, task = one_task(bench, config, {"clip": "/data/upload/1/a walk.mp4"})

    detail = seen(bench, project, task)

    assert item_of(detail)["video"] == f"{bench.server.url}/data/upload/1/a%20walk.mp4"
    assert item_of(detail)["audio"] is None


def test_people_are_sent_to_the_address_that_their_browsers_know(
    fake_server: FakeServer, store_url: str, redis: object
) -> None:
    """In a network of containers Label Studio has another name."""
    assert redis is not None
    people = "https://label.example"
    with stand(fake_server, store_url, {"label_studio_public_url": people}) as bench:
        photo = "/data/upload/1/cat.png?size=2"
        project, task = one_task(bench, IMAGES, {"photo": photo})

        detail = seen(bench, project, task)

    assert item_of(detail)["image"] == f"{people}{photo}"
    assert detail["link"] == f"{people}/projects/{project}/data?task={task}"


def test_a_picture_inside_the_data_is_shown_as_it_is(bench: Stand) -> None:
    project, task = one_task(bench, IMAGES, {"photo": PICTURE})

    assert item_of(seen(bench, project, task))["image"] == PICTURE


@pytest.mark.parametrize(
    "address",
    [
        "/user/logout",
        "/api/projects/1/",
        "/data/upload/../../user/logout",
        "/data/upload/%2e%2e/%2e%2e/user/logout",
        "http://elsewhere.example/track.png",
        "//elsewhere.example/track.png",
        "javascript:alert(1)",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:text/html;base64,PHN2Zy8+",
        "s3://bucket/cat.png",
    ],
)
def test_a_task_makes_nobodys_browser_call_another_address(
    bench: Stand, address: str
) -> None:
    """Whoever imports tasks must not log a viewer out, or count who looks."""
    project, task = one_task(bench, IMAGES, {"photo": address})

    detail = seen(bench, project, task)

    assert item_of(detail)["image"] is None
    assert item_of(detail)["note"]


LISTS = choices_config("a", "b", tag="Image", attributes='valueList="$photos"')


def test_of_a_long_list_the_first_images_are_shown_and_the_rest_counted(
    bench: Stand,
) -> None:
    photos = [f"/data/upload/1/{n}.png" for n in range(15)]

    project, task = one_task(bench, LISTS, {"photos": photos})

    detail = seen(bench, project, task)
    assert [item["name"] for item in detail["items"]] == [*map(str, range(1, 13))]
    assert [item["image"] for item in detail["items"]] == [
        f"{bench.server.url}{photo}" for photo in photos[:12]
    ]
    assert (detail["items_left_out"], detail["note"]) == (3, "")


def test_of_a_list_what_cannot_be_shown_is_said_in_its_place(bench: Stand) -> None:
    photos = ["http://elsewhere.example/a.png", PICTURE, 5]

    project, task = one_task(bench, LISTS, {"photos": photos})

    strange, own, none = seen(bench, project, task)["items"]
    assert (own["name"], own["image"], own["note"]) == ("2", PICTURE, "")
    assert (strange["image"], none["image"]) == (None, None)
    assert "elsewhere.example is neither" in strange["note"]
    assert "no address of a file" in none["note"]


def test_a_list_of_one_image_is_shown_like_an_image(bench: Stand) -> None:
    project, task = one_task(bench, LISTS, {"photos": [PICTURE]})

    item = item_of(seen(bench, project, task))
    assert (item["name"], item["image"]) == ("", PICTURE)


def compared(bench: Stand, *right: str) -> dict[str, Any]:
    """Show a pair of recordings: one of its own, and one that is named."""
    shown = "".join(
        f'<TimeSeries name="{name}" value="${name}" valueType="url" timeColumn="t"'
        ' sep=","><Channel column="x"/></TimeSeries>'
        for name in ("one", "two")
    )
    config = f'<View>{shown}<Pairwise name="label" toName="one,two"/></View>'
    there = bench.label_studio
    project, uploaded = recordings(bench, swing(40), swing(50))
    one, two = (there.task(task)["data"]["csv"] for task in uploaded)
    for task in uploaded:
        there.delete_task(task)
    there.call("PATCH", f"/api/projects/{project}", json={"label_config": config})
    data = {"one": one, "two": next(iter(right), two)}
    [task] = there.import_tasks(project, [{"data": data}])
    bench.connect(project)
    return seen(bench, project, task)


def test_of_a_pair_both_recordings_are_drawn(bench: Stand) -> None:
    left, right = compared(bench)["items"]

    assert (left["name"], left["trace"]["samples"]) == ("left", 40)
    assert (right["name"], right["trace"]["samples"]) == ("right", 50)


def test_of_a_pair_a_file_of_another_project_is_not_shown(bench: Stand) -> None:
    _other, [secret] = recordings(bench, swing(30))
    address = bench.label_studio.task(secret)["data"]["csv"]

    detail = compared(bench, address)

    assert item_of(detail)["name"] == "left"
    assert (detail["numbers"], detail["note"]) == ([], showing.FOREIGN)


def test_of_a_long_list_a_file_of_another_project_hides_what_was_read(
    bench: Stand,
) -> None:
    """What was read is the mean of all images, also of those that are not shown."""
    config = choices_config("a", "b", tag="Image", attributes='value="$image"')
    other = bench.label_studio.create_project("other", config)
    file = BytesIO()
    Image.new("RGB", (9, 9), "teal").save(file, "PNG")
    content = file.getvalue()
    inline = f"data:image/png;base64,{b64encode(content).decode()}"
    [secret] = bench.label_studio.upload(other, {"s.png": content}, "image/png")
    address = bench.label_studio.task(secret)["data"]["image"]
    own = [inline] * showing.MOST_ITEMS
    config = choices_config("a", "b", tag="Image", attributes='valueList="$pages"')
    project = bench.label_studio.create_project("mine", config)
    tasks = bench.label_studio.import_tasks(
        project, [{"pages": [*own, inline]}, {"pages": [*own, address]}]
    )
    bench.connect(project)
    bench.settle(project)

    details = [seen(bench, project, task) for task in tasks]

    assert [one["items_left_out"] for one in details] == [1, 1]
    assert [bool(one["numbers"]) for one in details] == [True, False]


def test_a_task_of_another_project_is_unknown(bench: Stand) -> None:
    one, other = (rows_project(bench.label_studio, 4) for _ in range(2))
    for rows in (one, other):
        bench.connect(rows.project)

    response = asked(bench, one.project, other.tasks[0])

    assert response.status_code == 404
    assert "has no task" in response.json["detail"]


@pytest.mark.parametrize("task", ["0", "-1", "x", "1.5", "9" * 40, "%00"])
def test_what_is_no_task_is_a_404(bench: Stand, task: str) -> None:
    rows = rows_project(bench.label_studio, 2)
    bench.connect(rows.project)

    response = asked(bench, rows.project, task)

    assert response.status_code == 404
    assert response.json["detail"]


def test_a_task_that_was_deleted_meanwhile_is_said_to_be_gone(bench: Stand) -> None:
    project, [task, _other] = recordings(bench, swing(40), swing(30))
    bench.connect(project)
    bench.faults.lose_webhooks = "all"
    bench.label_studio.delete_task(task)

    detail = seen(bench, project, task)

    assert detail["note"] == "Label Studio no longer has this task."


def test_a_bad_task_is_shown_with_the_reason(bench: Stand) -> None:
    project, [_good, bad] = recordings(bench, swing(40), "a,b\n1,2\n")
    bench.connect(project)

    detail = seen(bench, project, bad)

    assert "no column x, y" in detail["refused"]
    assert "no column x, y" in item_of(detail)["note"]


def test_a_listed_host_is_asked_without_the_key(
    fake_server: FakeServer, store_url: str, elsewhere: Elsewhere, redis: object
) -> None:
    assert redis is not None
    elsewhere.parts = (swing(40).encode(),)
    settings = {"file_hosts": (elsewhere.host,)}
    with stand(fake_server, store_url, settings) as bench:
        address = f"{elsewhere.url}/x.csv"
        project, task = one_task(bench, series_config(), {"csv": address})

        detail = seen(bench, project, task)

    assert item_of(detail)["trace"]["samples"] == 40
    names = {name.lower() for head in elsewhere.shown for name in head}
    assert not {"authorization", "cookie"} & names


def test_before_there_is_a_model_nothing_is_thought_of_a_task(bench: Stand) -> None:
    rows = bench.labelled_rows(count=10, labels=0)

    detail = seen(bench, rows.project, rows.tasks[0])

    assert (detail["predicted"], detail["certainty"]) == (None, None)
