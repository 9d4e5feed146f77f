"""What the container's tests share. They are for `make test-container` alone."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.engine import Engine, complaint
from tests.container.images import make_images
from tests.container.stack import FIRST_START_SECONDS, SERVICES, Stack
from tests.dubito_process import Dubito
from tests.label_studio import LabelStudio
from tests.real_label_studio import ROOT

LOG_TAIL = 4_000
LOCK = Path("/run/dubito-test-container.lock")


@pytest.fixture(scope="session")
def machine() -> Iterator[None]:
    """Have the machine for ourselves: its containers share one name service."""
    if lack := complaint():
        pytest.exit(lack, returncode=1)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def engine(machine: None) -> Iterator[Engine]:  # noqa: ARG001
    """Make our image and all others; remove in the end whatever ran."""
    root = (ROOT / ".cache" / "container").resolve()
    Engine.at(root).clean()
    engine = Engine.at(root)
    try:
        make_images(engine)
        yield engine
    except AssertionError as error:
        pytest.exit(f"the images cannot be made here: {error}", returncode=1)
    finally:
        engine.clean()


@pytest.fixture(scope="session")
def stack(
    engine: Engine,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Stack]:
    """Start everything for the first time, and wait until it is well."""
    stack = Stack.prepare(engine, tmp_path_factory.mktemp("stack"))
    try:
        stack.compose("up", "-d")
        stack.until_well(FIRST_START_SECONDS)
        yield stack
    finally:
        if request.session.testsfailed:
            for service in SERVICES:
                print(stack.logs(stack.container(service))[-LOG_TAIL:])  # noqa: T201
        stack.down("--volumes")


@pytest.fixture(scope="session")
def label_studio(stack: Stack) -> Iterator[LabelStudio]:
    label_studio = stack.label_studio()
    yield label_studio
    for client in label_studio.users:
        client.close()


@pytest.fixture(scope="session")
def dubito(stack: Stack) -> Iterator[Dubito]:
    dubito = stack.dubito()
    with dubito.http:
        yield dubito
