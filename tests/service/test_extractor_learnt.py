"""A project whose items an extractor describes, in a list that Dubito cannot read."""

import sys
from pathlib import Path

import pytest

from dubito.backend.connect_command import connector_of
from dubito.backend.web.app import create_app
from tests.extractor_package import install
from tests.label_studio import choices_config
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner


@pytest.mark.parametrize("bad", [b"\0", b"1 2 3"], ids=["binary", "digits"])
def test_lists_are_learnt_by_an_extractor(
    bench: Stand, tmp_path: Path, bad: bytes
) -> None:
    install(tmp_path)
    there = bench.label_studio
    config = choices_config("fruit", "tools", tag="List", attributes='value="$clip"')
    project = there.create_project("clips", config)
    names = ["saw" if n % 2 else "apple" for n in range(8)]
    files = {f"c{n}": f"{name} {name} {n}".encode() for n, name in enumerate(names)}
    ids = there.upload_csv(project, files | {"bad": bad})
    messages: list[str] = []
    connector = connector_of(
        bench.services, messages.append, params='{"extractor": "letters"}'
    )
    connector.connect(project, bench.url)
    bench.run()
    assert "the extractor 'letters' reads <List>" in " ".join(messages)
    for number in range(4):
        there.annotate(ids[number], "tools" if number % 2 else "fruit")
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pool"]) == (4, 1, 4)
    assert "the extractor 'letters' failed" in status["set_aside_reasons"][0]
    ranking = bench.state(project).ranking()
    assert ranking is not None
    assert [ranking.likeliest_of(one) for one in ids[:8]] == ["fruit", "tools"] * 4
    http = create_app(bench.services).test_client()
    shown = http.get(f"/api/projects/{project}/tasks/{ids[5]}").get_json()
    assert (shown["text"][:13], shown["numbers"]) == ("/data/upload/", [])
    sys.path.remove(str(tmp_path))
