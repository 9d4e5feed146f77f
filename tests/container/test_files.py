"""What others' tools say of the Dockerfile and the compose file."""

import re

import pytest

from tests.container.engine import Engine
from tests.container.images import LABEL_STUDIO, PYTHON, REDIS
from tests.container.stack import COMPOSE_FILE
from tests.real_label_studio import ROOT

DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE = COMPOSE_FILE.read_text()


def test_hadolint_finds_nothing_in_the_dockerfile(engine: Engine) -> None:
    engine.checked("hadolint", DOCKERFILE)


def test_the_compose_file_is_one(engine: Engine) -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")

    engine.checked("check-jsonschema", *schema, COMPOSE_FILE)


def test_the_stand_ins_bear_the_names_that_are_asked_for() -> None:
    assert f"FROM {PYTHON} AS python" in DOCKERFILE.read_text()
    assert {LABEL_STUDIO, REDIS} < set(re.findall(r"image: (\S+)", COMPOSE))


@pytest.mark.parametrize("name", re.findall(r"\$\{(\w+):\?", COMPOSE))
def test_nothing_starts_without_a_secret(engine: Engine, name: str) -> None:
    others = set(re.findall(r"\$\{(\w+):\?", COMPOSE)) - {name}
    secrets = dict.fromkeys(others, "x" * 40)

    refused = engine.call(
        *("podman-compose", "--file", COMPOSE_FILE, "--env-file", "/dev/null"),
        "config",
        environment=secrets,
    )

    assert refused.returncode != 0
    assert f"{name}" in refused.stdout + refused.stderr
