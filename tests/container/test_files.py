"""What others' tools say of the Dockerfile and the compose file."""

import re
from pathlib import Path

import pytest

from tests.container.engine import Engine
from tests.container.images import LABEL_STUDIO, POSTGRES, PYTHON, REDIS
from tests.container.stack import COMPOSE_FILE, POSTGRES_FILE
from tests.real_label_studio import ROOT

DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE, OVERRIDE = COMPOSE_FILE.read_text(), POSTGRES_FILE.read_text()
SECRETS = sorted({*re.findall(r"\$\{(\w+):\?", COMPOSE + OVERRIDE)})


def test_hadolint_finds_nothing_in_the_dockerfile(engine: Engine) -> None:
    engine.checked("hadolint", DOCKERFILE)


@pytest.mark.parametrize("file", [COMPOSE_FILE, POSTGRES_FILE], ids=lambda f: f.name)
def test_the_compose_file_is_one(engine: Engine, file: Path) -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")

    engine.checked("check-jsonschema", *schema, file)


def test_the_stand_ins_bear_the_names_that_are_asked_for() -> None:
    assert f"FROM {PYTHON} AS python" in DOCKERFILE.read_text()
    assert {LABEL_STUDIO, REDIS} < set(re.findall(r"image: (\S+)", COMPOSE))
    assert re.findall(r"image: (\S+)", OVERRIDE) == [POSTGRES]


@pytest.mark.parametrize("name", SECRETS)
def test_nothing_starts_without_a_secret(engine: Engine, name: str) -> None:
    secrets = dict.fromkeys({*SECRETS} - {name}, "x" * 40)
    files = ("--file", COMPOSE_FILE, "--file", POSTGRES_FILE)

    refused = engine.call(
        *("podman-compose", *files, "--env-file", "/dev/null", "config"),
        environment=secrets,
    )

    assert refused.returncode != 0
    assert f"{name}" in refused.stdout + refused.stderr
