"""Texts and recordings: read from what tasks hold or point to, the bad set aside."""

import io
import sys
from base64 import b64encode

import numpy as np
import pytest
from PIL import Image

from tests.fake_label_studio import Fault
from tests.label_studio import JsonObject, choices_config
from tests.service.stand import Stand
from tests.sounds import sound_file
from tests.videos import clip, sound_track

SAMPLES = 60
CHANNELS = '<Channel column="x"/><Channel column="y"/>'


def series_config(value: str, *classes: str, value_type: str = "url") -> str:
    choices = "".join(f'<Choice value="{name}"/>' for name in classes)
    return (
        f'<View><TimeSeries name="item" value="{value}" valueType="{value_type}"'
        f' timeColumn="t" sep=",">{CHANNELS}</TimeSeries>'
        '<Choices name="label" toName="item" choice="single">'
        f"{choices}</Choices></View>"
    )


def recording(number: int) -> dict[str, list[float]]:
    """Swing quickly or slowly, by turns."""
    time = np.arange(SAMPLES) / 10
    throttle = 0.3 if number % 2 else 2.0
    noise = np.random.default_rng(number).normal(scale=0.1, size=(2, SAMPLES))
    return {
        "t": time.tolist(),
        "x": (np.sin(2 * np.pi * throttle * time) + noise[0]).tolist(),
        "y": (np.cos(2 * np.pi * throttle * time) * throttle + noise[1]).tolist(),
    }


def as_csv(columns: dict[str, list[float]]) -> str:
    lines = zip(*columns.values(), strict=True)
    rows = (",".join(f"{value:.4f}" for value in line) for line in lines)
    return "\n".join([",".join(columns), *rows])


def name_of(number: int) -> str:
    return "slow" if number % 2 else "quick"


def certain_of(bench: Stand, project: int) -> dict[int, str]:
    """Return the likeliest class of each task."""
    ranking = bench.state(project).ranking()
    assert ranking is not None
    likeliest = ranking.probabilities.argmax(axis=1).tolist()
    named = [ranking.classes[code] for code in likeliest]
    return dict(zip(ranking.task_ids.tolist(), named, strict=True))


def test_uploaded_recordings_are_learnt(bench: Stand) -> None:
    config = series_config("$csv", "quick", "slow")
    project = bench.label_studio.create_project("recordings", config)
    files = {f"r{n}": as_csv(recording(n)) for n in range(16)}
    ids = bench.label_studio.upload_csv(project, files)
    bench.connect(project)

    for number, task in enumerate(ids[:6]):
        bench.label_studio.annotate(task, name_of(number))
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pending"]) == (6, 0, 0)
    guesses = certain_of(bench, project)
    assert [guesses[task] for task in ids] == [name_of(n) for n in range(16)]


def test_recordings_inside_the_tasks_are_learnt(bench: Stand) -> None:
    config = series_config("$series", "quick", "slow", value_type="json")
    project = bench.label_studio.create_project("inline", config)
    ids = bench.label_studio.import_tasks(
        project, [{"data": {"series": recording(n)}} for n in range(16)]
    )
    bench.connect(project)

    for number, task in enumerate(ids[:6]):
        bench.label_studio.annotate(task, name_of(number))
    bench.run()

    guesses = certain_of(bench, project)
    assert [guesses[task] for task in ids] == [name_of(n) for n in range(16)]


def picture(number: int) -> str:
    """Draw stripes, upright or level by turns, as an address that holds its data."""
    stripes = np.arange(48) // (4 + number % 3) % 2 * 200
    level = np.broadcast_to(stripes, (48, 48)).astype(np.uint8)
    noise = np.random.default_rng(number).integers(50, size=(48, 48), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray((level if number % 2 else level.T) + noise).save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


@pytest.mark.real_learner
def test_pictures_are_learnt_and_a_broken_one_is_set_aside(bench: Stand) -> None:
    config = choices_config("quick", "slow", tag="Image", attributes='value="$photo"')
    project = bench.label_studio.create_project("pictures", config)
    photos = [picture(n) for n in range(16)] + ["data:image/png;base64,bm9uZQ=="]
    ids = bench.label_studio.import_tasks(
        project, [{"data": {"photo": photo}} for photo in photos]
    )
    bench.connect(project)

    for number, task in enumerate(ids[:6]):
        bench.label_studio.annotate(task, name_of(number))
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pending"]) == (6, 1, 0)
    guesses = certain_of(bench, project)
    assert [guesses[task] for task in ids[:16]] == [name_of(n) for n in range(16)]


@pytest.mark.real_learner
def test_sounds_are_learnt_and_a_broken_one_is_set_aside(bench: Stand) -> None:
    config = choices_config("quick", "slow", tag="Audio", attributes='value="$clip"')
    project = bench.label_studio.create_project("sounds", config)
    tones = np.random.default_rng(0).uniform(0.9, 1.1, 16).tolist()
    files = {
        f"{number}.wav": sound_file((300 if number % 2 else 900) * tone)
        for number, tone in enumerate(tones)
    }
    ids = bench.label_studio.upload(project, files, "audio/wav")
    bench.label_studio.upload(project, {"bad.wav": b"RIFF and no more"}, "audio/wav")
    bench.connect(project)

    for number, task in enumerate(ids[:6]):
        bench.label_studio.annotate(task, name_of(number))
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pending"]) == (6, 1, 0)
    assert "the sound is broken" in status["set_aside_reasons"][0]
    guesses = certain_of(bench, project)
    assert [guesses[task] for task in ids] == [name_of(n) for n in range(16)]


@pytest.mark.real_learner
def test_videos_are_learnt_and_a_broken_one_is_set_aside(bench: Stand) -> None:
    config = choices_config("quick", "slow", tag="Video", attributes='value="$clip"')
    project = bench.label_studio.create_project("videos", config)
    files = {
        f"{number}.mp4": clip(is_moving=number % 2 == 0, side=48 + 2 * number)
        for number in range(12)
    }
    ids = bench.label_studio.upload(project, files, "video/mp4")
    bench.label_studio.upload(project, {"bad.mp4": clip()[:200]}, "video/mp4")
    bench.connect(project)

    for number, task in enumerate(ids[:6]):
        bench.label_studio.annotate(task, name_of(number))
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pending"]) == (6, 1, 0)
    assert "the video cannot be read: it is broken" in status["set_aside_reasons"][0]
    guesses = certain_of(bench, project)
    assert [guesses[task] for task in ids] == [name_of(n) for n in range(12)]


def test_sound_tracks_are_read_once_their_library_is_installed(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are not read again."""
    config = choices_config("quick", "slow", tag="Audio", attributes='value="$clip"')
    project = bench.label_studio.create_project("sounds", config)
    bench.label_studio.upload(project, {"0.wav": sound_file()}, "audio/wav")
    [track] = bench.label_studio.upload(project, {"1.m4a": sound_track()}, "audio/mp4")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "av", None)
        bench.connect(project)
        status = bench.sync(project)
    assert status["set_aside"] == 1
    assert 'need the extra "video" (pip install av)' in status["set_aside_reasons"][0]
    before = len(bench.faults.requests)

    bench.connect(project)
    status = bench.status(project)

    assert (status["set_aside"], status["pool"]) == (0, 2)
    address = bench.label_studio.task(track)["data"]["clip"]
    paths = [path for _, path in bench.faults.requests[before:]]
    assert [path for path in paths if path.startswith("/data/")] == [address]


BAD: dict[str, str] = {
    "not a table": '"\x00\x01 nonsense',
    "other columns": "a,b\n1,2\n",
    "no lines": "t,x,y\n",
    "words": "t,x,y\n" + "\n".join("one,two,three" for _ in range(5)),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_recording_that_cannot_be_read_is_set_aside(
    bench: Stand, content: str
) -> None:
    config = series_config("$csv", "quick", "slow")
    project = bench.label_studio.create_project("recordings", config)
    files = {f"r{n}": as_csv(recording(n)) for n in range(8)} | {"bad": content}
    ids = bench.label_studio.upload_csv(project, files)

    bench.connect(project)

    status = bench.assert_order_holds(project)
    assert (status["set_aside"], status["pool"], status["pending"]) == (1, 8, 0)
    (reason,) = status["set_aside_reasons"]
    assert reason
    assert ids[-1] not in {place["task"] for place in status["window"]}


def test_a_missing_file_is_set_aside_with_its_reason(bench: Stand) -> None:
    config = series_config("$csv", "quick", "slow")
    project = bench.label_studio.create_project("recordings", config)
    there = bench.label_studio
    there.upload_csv(project, {f"r{n}": as_csv(recording(n)) for n in range(6)})
    missing = {"data": {"csv": f"/data/upload/{project}/gone.csv"}}
    elsewhere = {"data": {"csv": "http://127.0.0.1:9/elsewhere.csv"}}
    there.import_tasks(project, [missing, elsewhere])

    bench.connect(project)

    status = bench.assert_order_holds(project)
    assert (status["set_aside"], status["pool"]) == (2, 6)
    assert any("no such upload" in reason for reason in status["set_aside_reasons"])
    assert any("FILE_HOSTS" in reason for reason in status["set_aside_reasons"])


def test_a_file_that_cannot_be_had_now_waits(bench: Stand) -> None:
    """A 5xx passes by: the task is pending, not lost."""
    config = series_config("$csv", "quick", "slow")
    project = bench.label_studio.create_project("recordings", config)
    files = {f"r{n}": as_csv(recording(n)) for n in range(6)}
    bench.label_studio.upload_csv(project, files)
    bench.faults.plan(Fault(path="/data/upload", status=503, times=3))

    bench.connect(project)
    bench.look_after(project)
    for _ in range(3):
        bench.look_after(project)

    status = bench.assert_order_holds(project)
    assert (status["pending"], status["set_aside"], status["pool"]) == (0, 0, 6)


def texts() -> list[tuple[JsonObject, str]]:
    words = {"fruit": "apple pear plum cherry", "tools": "hammer saw drill pliers"}
    rng = np.random.default_rng(0)
    answers = []
    for number in range(24):
        kind = "fruit" if number % 2 else "tools"
        chosen = " ".join(rng.choice(words[kind].split(), size=6))
        answers.append(({"text": f"{chosen} and so on"}, kind))
    return answers


def test_texts_are_learnt_and_empty_ones_set_aside(bench: Stand) -> None:
    config = choices_config("fruit", "tools")
    project = bench.label_studio.create_project("texts", config)
    rows = texts()
    ids = bench.label_studio.import_tasks(
        project, [*(data for data, _ in rows), {"text": " "}, {"text": ""}]
    )
    bench.connect(project)

    for task, (_, label) in zip(ids[:8], rows[:8], strict=False):
        bench.label_studio.annotate(task, label)
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pool"]) == (8, 2, 16)
    guesses = certain_of(bench, project)
    right = sum(
        guesses[task] == answer for task, (_, answer) in zip(ids, rows, strict=False)
    )
    assert right >= 22


def test_one_class_only_goes_on_with_the_start(bench: Stand) -> None:
    config = choices_config("fruit", "tools")
    project = bench.label_studio.create_project("texts", config)
    ids = bench.label_studio.import_tasks(project, [data for data, _ in texts()])
    bench.connect(project)

    for task in ids[:7]:
        bench.label_studio.annotate(task, "fruit")
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["phase"], status["labels"]) == ("start", 7)
    assert {place["why"] for place in status["window"]} == {"start"}


def test_the_last_task_labelled_means_done(bench: Stand) -> None:
    config = choices_config("fruit", "tools")
    project = bench.label_studio.create_project("texts", config)
    rows = texts()[:6]
    ids = bench.label_studio.import_tasks(project, [data for data, _ in rows])
    bench.connect(project)

    for task, (_, label) in zip(ids, rows, strict=True):
        bench.label_studio.annotate(task, label)
    bench.run()

    status = bench.status(project)
    assert (status["phase"], status["pool"], status["window"]) == ("done", 0, [])
    assert status["settled"]
    assert bench.label_studio.next_task(project) is None


def test_a_task_that_holds_nothing_to_learn_harms_no_other(bench: Stand) -> None:
    config = choices_config("a", "b", attributes='value="$row"')
    project = bench.label_studio.create_project("rows", config)
    good = [
        {"row": f"r{n}", **{f"f{i}": (n * 7 + i * 3) % 5 + 0.5 for i in range(4)}}
        for n in range(10)
    ]
    bad: list[JsonObject] = [
        {"row": "nothing"},
        {"row": "words", "f0": "many", "f1": None, "f2": [], "f3": {}},
    ]
    bench.label_studio.import_tasks(project, [*good, *bad])

    bench.connect(project)

    status = bench.assert_order_holds(project)
    assert (status["pool"], status["set_aside"]) == (10, 2)
