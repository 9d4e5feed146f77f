"""Projects of each kind, the same items as people have them, and what is downloaded."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from flask.testing import FlaskClient

from tests.dubito_process import feature_rows
from tests.label_studio import choices_config
from tests.service.stand import Stand
from tests.service.test_kinds_of_tasks import as_csv, picture, recording, series_config


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A project of one kind of tasks, and the same items as a person may have them."""

    project: int
    tasks: list[int]
    items: Path


def make_rows(bench: Stand, folder: Path) -> Kind:
    there = bench.label_studio
    config = choices_config("rest", "walk", attributes='value="$row"')
    project = there.create_project("rows", config)
    rows = [data for data, _ in feature_rows(40, ("rest", "walk"))]
    places = ("left wrist", 'the "other", wrist')
    for number, row in enumerate(rows):
        row |= {"place": places[number % 2], "vector": [number / 9, 1.0, 2.0]}
        if number % 4 == 0:
            row["f1"] = None
    tasks = there.import_tasks(project, rows)
    items = folder / "items.csv"
    with items.open("w", newline="") as file:
        lines = csv.DictWriter(file, list(rows[0]))
        lines.writeheader()
        lines.writerows(rows)
    return Kind(project=project, tasks=tasks, items=items)


def make_texts(bench: Stand, folder: Path) -> Kind:
    there = bench.label_studio
    project = there.create_project("texts", choices_config("rest", "walk"))
    words = (("calm", "still", "quiet, slow"), ("quick", "step", 'far "away"'))
    rng = np.random.default_rng(0)
    texts = [
        f"{' '.join(rng.choice(words[n % 2], 5))} für {n % 7}\n🙂 end"
        for n in range(40)
    ]
    tasks = there.import_tasks(project, [{"text": text} for text in texts])
    for number, text in enumerate(texts):
        (folder / f"t{number:02}.txt").write_text(text, encoding="utf-8")
    return Kind(project=project, tasks=tasks, items=folder)


def make_recordings(bench: Stand, folder: Path) -> Kind:
    config = series_config("$csv", "rest", "walk")
    project = bench.label_studio.create_project("recordings", config)
    files = {f"r{n:02}": as_csv(recording(n)) for n in range(20)}
    tasks = bench.label_studio.upload_csv(project, files)
    for name, content in files.items():
        (folder / f"{name} #1.csv").write_text(content)
    return Kind(project=project, tasks=tasks, items=folder)


def make_pictures(bench: Stand, folder: Path) -> Kind:
    config = choices_config("rest", "walk", tag="Image", attributes='value="$photo"')
    project = bench.label_studio.create_project("pictures", config)
    data = [{"photo": picture(n)} for n in range(20)]
    tasks = bench.label_studio.import_tasks(project, data)
    items = folder / "items.json"
    items.write_text(
        json.dumps([{"id": t, "data": d} for t, d in zip(tasks, data, strict=True)])
    )
    return Kind(project=project, tasks=tasks, items=items)


KINDS: Mapping[str, Callable[[Stand, Path], Kind]] = MappingProxyType(
    {
        "rows": make_rows,
        "texts": make_texts,
        "recordings": make_recordings,
        "pictures": make_pictures,
    }
)


def download(caller: FlaskClient, project: int, name: str) -> bytes:
    response = caller.get(f"/api/projects/{project}/export/{name}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="project-{project}-{name}"'
    )
    content: bytes = response.data
    return content


def made_model(bench: Stand, caller: FlaskClient, project: int, folder: Path) -> Path:
    """Have the model made by a worker, download and unpack it."""
    response = caller.post(f"/api/projects/{project}/model")
    assert response.status_code == 202, response.text
    bench.run()
    content = download(caller, project, "model.zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder
