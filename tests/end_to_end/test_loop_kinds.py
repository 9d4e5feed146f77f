"""Texts, recordings and sounds through the real thing: uploads, files, aliases."""

from collections.abc import Callable

import numpy as np
import orjson
import pytest

from tests.dubito_process import Dubito, feature_rows
from tests.end_to_end.test_loop_controls import template
from tests.label_studio import JsonObject, LabelStudio, choices_config
from tests.pdf_files import pdf
from tests.published_order import assert_order_holds, label_in_order
from tests.sounds import sound_file
from tests.videos import clip, pictures, sound_track, video_file

pytestmark = pytest.mark.end_to_end
SAMPLES = 50
ALIASED = (
    '<View><Text name="item" value="$row"/>'
    '<Choices name="label" toName="item" choice="single">'
    '<Choice value="Standing still" alias="rest"/>'
    '<Choice value="Walking" alias="walk"/></Choices></View>'
)
KINDS_OF_SOUNDS = ("WAV", "FLAC", "OGG", "MP3", "M4A", *("WAV" for _ in range(9)))


def series_config(value: str, value_type: str) -> str:
    return (
        f'<View><TimeSeries name="item" value="{value}" valueType="{value_type}"'
        ' timeColumn="t" sep=",">'
        '<Channel column="x"/><Channel column="y"/></TimeSeries>'
        '<Choices name="label" toName="item" choice="single">'
        '<Choice value="quick"/><Choice value="slow"/></Choices></View>'
    )


def recording(number: int) -> dict[str, list[float]]:
    """Swing quickly or slowly, by turns."""
    time = np.arange(SAMPLES) / 10
    throttle = 0.3 if number % 2 else 2.0
    noise = np.random.default_rng(number).normal(scale=0.1, size=(2, SAMPLES))
    x, y = np.sin(2 * np.pi * throttle * time), np.cos(2 * np.pi * throttle * time)
    return {
        "t": time.tolist(),
        "x": (x + noise[0]).tolist(),
        "y": (throttle * y + noise[1]).tolist(),
    }


def as_csv(columns: dict[str, list[float]]) -> str:
    lines = zip(*columns.values(), strict=True)
    rows = (",".join(f"{value:.4f}" for value in line) for line in lines)
    return "\n".join([",".join(columns), *rows])


def test_uploaded_recordings_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """Some cannot be: a table of something else, a missing file, and a missing upload.

    Label Studio answers 500 for the last, with an error of its own.
    """
    config = series_config("$csv", "url")
    project = real_label_studio.create_project("recordings", config)
    files = {f"r{n}.csv": as_csv(recording(n)) for n in range(14)}
    ids = real_label_studio.upload_csv(project, files)
    real_label_studio.upload_csv(project, {"bad.csv": "a,b\n1,2\n"})
    missing = ("/data/nothing/gone.csv", f"/data/upload/{project}/gone.csv")
    tasks = [{"data": {"csv": address}} for address in missing]
    real_label_studio.import_tasks(project, tasks)
    truth = {task: "slow" if n % 2 else "quick" for n, task in enumerate(ids)}
    dubito.adopt(real_label_studio, project)
    dubito.when(project, lambda status: status["pending"] == 0)

    status = label_in_order(dubito, real_label_studio, project, truth, 6)

    assert (status["labels"], status["set_aside"], status["pool"]) == (6, 3, 8)
    reasons = " ".join(status["set_aside_reasons"])
    assert "404" in reasons
    assert "Label Studio has no such upload" in reasons
    assert "no column" in reasons


def test_recordings_inside_the_tasks_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    config = series_config("$series", "json")
    project = real_label_studio.create_project("inline recordings", config)
    tasks = [{"data": {"series": recording(n)}} for n in range(14)]
    ids = real_label_studio.import_tasks(project, tasks)
    truth = {task: "slow" if n % 2 else "quick" for n, task in enumerate(ids)}
    dubito.adopt(real_label_studio, project)

    status = label_in_order(dubito, real_label_studio, project, truth, 6)

    assert (status["labels"], status["set_aside"], status["pool"]) == (6, 0, 8)


def sound(tone: float, kind: str) -> bytes:
    return sound_track(tone) if kind == "M4A" else sound_file(tone, kind=kind)


def test_uploaded_and_linked_sounds_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    there = real_label_studio
    config = choices_config("high", "low", tag="Audio", attributes='value="$clip"')
    project = there.create_project("sounds", config)
    tones = np.random.default_rng(0).uniform(0.9, 1.1, len(KINDS_OF_SOUNDS)).tolist()
    clips = [
        sound((300 if number % 2 else 900) * tone, kind)
        for number, (tone, kind) in enumerate(zip(tones, KINDS_OF_SOUNDS, strict=True))
    ]
    files = {
        f"{number}.{kind.lower()}": clip
        for number, (kind, clip) in enumerate(zip(KINDS_OF_SOUNDS, clips, strict=True))
    }
    uploads = there.upload(project, files, "audio/wav")
    truth = {task: "low" if n % 2 else "high" for n, task in enumerate(uploads)}
    links = [there.task(task)["data"]["clip"] for task in uploads[:2]]
    linked = there.import_tasks(
        project, [{"clip": f"{there.url}{address}"} for address in links]
    )
    truth |= dict(zip(linked, ("high", "low"), strict=True))
    there.upload(project, {"bad.wav": b"RIFF and no more"}, "audio/wav")
    dubito.adopt(there, project)

    status = label_in_order(dubito, there, project, truth, 6)

    assert (status["labels"], status["set_aside"], status["pool"]) == (6, 1, 10)
    assert "the sound is broken" in status["set_aside_reasons"][0]
    assert status["reads"]["kind"] == "audio"


VIDEOS = "videos/video-classification"
KINDS_OF_VIDEOS = (
    ("webm", "libvpx"),
    ("webm", "libvpx-vp9"),
    *(("mp4", "libx264") for _ in range(18)),
)


def chosen(name: str) -> list[JsonObject]:
    """Return what the editor stores for a choice of the template."""
    names = {"from_name": "choice", "to_name": "video", "type": "choices"}
    return [{**names, "value": {"choices": [name]}}]


def test_uploaded_and_linked_videos_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    there = real_label_studio
    project = there.create_project("videos", template(VIDEOS))
    files = {
        f"{n}.{kind}": video_file(
            pictures("blue" if n % 2 else "red", is_moving=n % 3 > 0),
            kind=kind,
            codec=codec,
        )
        for n, (kind, codec) in enumerate(KINDS_OF_VIDEOS)
    }
    uploads = there.upload(project, files, "video/mp4")
    classes = [chosen("Blurry"), chosen("Sharp")]
    truth = {task: classes[n % 2] for n, task in enumerate(uploads)}
    links = [there.task(task)["data"]["video"] for task in uploads[:2]]
    linked = there.import_tasks(
        project, [{"video": f"{there.url}{address}"} for address in links]
    )
    truth |= dict(zip(linked, classes, strict=True))
    there.upload(project, {"bad.mp4": clip()[:300]}, "video/mp4")
    dubito.adopt(there, project)

    status = label_in_order(dubito, there, project, truth, 12)

    assert (status["labels"], status["set_aside"], status["pool"]) == (12, 1, 10)
    assert "the video cannot be read" in status["set_aside_reasons"][0]
    assert status["reads"]["kind"] == "video"
    answers = dubito.predict(there, project, there.tasks(project, fields="all"))
    assert len(answers) == 23


def test_texts_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    words = {"fruit": "apple pear plum cherry", "tools": "hammer saw drill pliers"}
    rng = np.random.default_rng(0)
    labels = ["fruit" if n % 2 else "tools" for n in range(24)]
    texts = [" ".join(rng.choice(words[kind].split(), size=6)) for kind in labels]
    config = choices_config("fruit", "tools")
    project = real_label_studio.create_project("texts", config)
    ids = real_label_studio.import_tasks(project, [{"text": text} for text in texts])
    dubito.adopt(real_label_studio, project)

    truth = dict(zip(ids, labels, strict=True))
    status = label_in_order(dubito, real_label_studio, project, truth, 6)

    assert (status["labels"], status["pool"]) == (6, 18)


def test_answers_of_predict_are_valid_where_choices_have_aliases(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """A bulk import drops what is not valid, and says only how much it took."""
    there = real_label_studio
    project = there.create_project("aliased", ALIASED)
    rows = feature_rows(30, ("rest", "walk"))
    ids = there.import_tasks(project, [data for data, _ in rows])
    for task, (_, label) in zip(ids[:8], rows[:8], strict=True):
        there.annotate(task, label)
    dubito.adopt(there, project, preannotate=True)

    answers = dubito.predict(there, project, there.tasks(project, fields="all"))

    assert all(answer["result"] for answer in answers)
    predictions = [
        {**answer, "task": task, "model_version": "test"}
        for task, answer in zip(ids, answers, strict=True)
    ]
    path = f"/api/projects/{project}/import/predictions"
    assert there.call("POST", path, json=predictions)["created"] == len(ids)


def test_retrieve_predictions_in_the_data_manager_stores_nothing_invalid(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """Tasks with our row are not asked about again; nor do they get a second one."""
    rows = feature_rows(12)
    config = choices_config("rest", "walk", "run", attributes='value="$row"')
    project = real_label_studio.create_project("rows of features", config)
    ids = real_label_studio.import_tasks(project, [data for data, _ in rows])
    dubito.adopt(real_label_studio, project)
    dubito.until(
        lambda: len(real_label_studio.predictions(project)) == len(ids),
        "some task has no row",
    )

    body = {"selectedItems": {"all": True, "excluded": []}, "project": project}
    path = f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}"
    real_label_studio.call("POST", path, json=body)

    assert len(real_label_studio.predictions(project)) == len(ids)
    assert_order_holds(dubito, real_label_studio, project)


DOCUMENTS: dict[str, tuple[str, str, Callable[[str], bytes]]] = {
    "html": (
        "HyperText",
        'valueType="url"',
        lambda text: f"<script>x</script><p>{text}</p>".encode(),
    ),
    "dialogue": (
        "Paragraphs",
        'valueType="url" nameKey="who" textKey="said"',
        lambda text: orjson.dumps([{"who": "Ann", "said": text}]),
    ),
    "pdf": ("Pdf", "", pdf),
}
INLINE: dict[str, Callable[[str], object]] = {
    "html": lambda text: f"<h1>Page</h1><p>{text}</p>",
    "dialogue": lambda text: [{"who": "Ann", "said": text}],
}


def words_of(number: int) -> str:
    words = "apple pear plum" if number % 2 else "hammer saw drill"
    return f"{words} and so on {number}"


def label_documents(dubito: Dubito, there: LabelStudio, project: int) -> None:
    """Label two tasks that Label Studio serves, in the published order."""
    dubito.adopt(there, project)
    dubito.when(project, lambda status: status["pending"] == 0)
    answers = dict.fromkeys(there.task_ids(project), "quick")
    status = label_in_order(dubito, there, project, answers, 2)
    assert (status["labels"], status["set_aside"], status["pool"]) == (2, 0, 4)


@pytest.mark.parametrize(
    "kind", ["html", pytest.param("dialogue", marks=pytest.mark.long)]
)
def test_documents_inside_the_tasks_are_labelled_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio, kind: str
) -> None:
    there, (tag, attributes, _) = real_label_studio, DOCUMENTS[kind]
    given = attributes.replace('valueType="url"', "")
    config = choices_config(
        "quick", "slow", tag=tag, attributes=f'value="$doc" {given}'
    )
    project = there.create_project(f"inline {kind}", config)
    there.import_tasks(project, [{"doc": INLINE[kind](words_of(n))} for n in range(6)])

    label_documents(dubito, there, project)
    assert dubito.status(project)["reads"]["kind"] == kind


def test_dialogues_behind_addresses_are_labelled_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """Label Studio refuses the upload of a dialogue: it lies in another project."""
    there, (tag, attributes, written) = real_label_studio, DOCUMENTS["dialogue"]
    turns = choices_config("a", "b", attributes='value="$said"')
    shelf = there.create_project("shelf", turns)
    files = {f"{n}.json": written(words_of(n)) for n in range(6)}
    addresses = there.upload_files(shelf, files)
    config = choices_config(
        "quick", "slow", tag=tag, attributes=f'value="$doc" {attributes}'
    )
    project = there.create_project("linked dialogues", config)
    there.import_tasks(project, [{"doc": one} for one in addresses.values()])

    label_documents(dubito, there, project)


def test_uploaded_pdfs_are_labelled_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    there = real_label_studio
    config = choices_config("quick", "slow", tag="Pdf", attributes='value="$doc"')
    project = there.create_project("pdfs", config)
    files = {f"{n}.pdf": pdf(words_of(n)) for n in range(6)}
    there.upload_csv(project, files)

    label_documents(dubito, there, project)
