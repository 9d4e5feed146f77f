"""A project that shows what cannot be read: refused, or learnt from what is beside."""

import sys

import pytest

from dubito.backend.connection.connect import Connector
from dubito.backend.errors import SchemaError
from tests.label_studio import JsonObject, choices_config
from tests.service.stand import Stand

TASKS = 24


def list_project(bench: Stand, *columns: str) -> int:
    config = choices_config("slow", "quick", tag="List", attributes='value="$clips"')
    project = bench.label_studio.create_project("clips", config)
    tasks = [
        {"clips": f"/data/upload/1/{n:08x}-clip.json", "number": n}
        | dict.fromkeys(columns, n % 2 * 3 + n / 10)
        for n in range(TASKS)
    ]
    bench.label_studio.import_tasks(project, tasks)
    return project


def said_by_connect(bench: Stand, project: int) -> list[str]:
    messages: list[str] = []
    client = bench.services.label_studio()
    connector = Connector(services=bench.services, client=client, say=messages.append)
    connector.connect(project, bench.url)
    bench.run()
    return messages


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("List", "/data/upload/1/{}.json"),
        ("List", [{"title": "A", "body": "hello"}]),
    ],
)
def test_what_shows_only_what_cannot_be_read_is_refused_and_left_alone(
    bench: Stand, tag: str, value: object
) -> None:
    config = choices_config("slow", "quick", tag=tag, attributes='value="$shown"')
    project = bench.label_studio.create_project("unread", config)
    tasks = [
        {"shown": value.format(n) if isinstance(value, str) else value}
        for n in range(TASKS)
    ]
    bench.label_studio.import_tasks(project, tasks)

    with pytest.raises(SchemaError, match=f"<{tag}> cannot be read: 'shown' is shown"):
        said_by_connect(bench, project)

    assert bench.label_studio.ml_backends(project) == []
    assert bench.label_studio.webhooks(project) == []
    assert bench.services.projects.known() == []


def test_captions_that_come_from_the_task_are_refused(bench: Stand) -> None:
    project = bench.label_studio.create_project("captions", choices_config("$a", "$b"))

    with pytest.raises(SchemaError, match=r"has the choice '\$a', in which '\$a'"):
        said_by_connect(bench, project)

    assert bench.label_studio.ml_backends(project) == []


def test_numbers_beside_a_list_are_learnt_and_that_is_said(bench: Stand) -> None:
    project = list_project(bench, "speed")
    note = "<List> cannot be read: Dubito uses the other data of the task: 'speed'"

    assert note in said_by_connect(bench, project)

    for task in sorted(bench.label_studio.task_ids(project))[:6]:
        bench.label_studio.annotate(task, "quick" if task % 2 else "slow")
    bench.run()
    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pool"]) == (6, 0, TASKS - 6)
    assert note in status["notes"]
    assert (status["reads"]["kind"], status["reads"]["keys"]) == ("numbers", ["speed"])


def test_lists_that_come_after_connecting_are_set_aside(bench: Stand) -> None:
    """Label Studio's own dialog connects too, whatever the tasks show."""
    config = choices_config("slow", "quick", tag="List", attributes='value="$clips"')
    project = bench.label_studio.create_project("clips", config)
    assert any("add numbers" in line for line in said_by_connect(bench, project))

    clips: list[JsonObject] = [{"clips": f"/clips/{n}.json"} for n in range(5)]
    bench.label_studio.import_tasks(project, clips)
    status = bench.sync(project)

    reason = "'clips' is shown as <List>, which Dubito cannot read"
    assert status["set_aside"] == len(clips)
    assert all(reason in one for one in status["set_aside_reasons"])
    assert any(reason in note for note in status["notes"])
    assert status["pool"] == 0


def test_videos_without_their_library_are_refused_with_what_to_install(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    config = choices_config("slow", "quick", tag="Video", attributes='value="$clip"')
    project = bench.label_studio.create_project("clips", config)
    clips: list[JsonObject] = [{"clip": f"/clips/{n}.mp4"} for n in range(5)]
    bench.label_studio.import_tasks(project, clips)

    with pytest.raises(SchemaError, match=r'<Video> without the extra "video" \(pip'):
        said_by_connect(bench, project)

    assert bench.label_studio.ml_backends(project) == []
