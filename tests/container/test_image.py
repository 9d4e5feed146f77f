"""Our image: what is in it, and how it behaves alone."""

import json
import tomllib
from collections.abc import Iterator

import httpx
import pytest

from dubito.backend.demo.label_studio_server import free_port
from tests.builders import event
from tests.container.engine import Engine
from tests.container.images import DUBITO
from tests.container.stack import START_SECONDS, until
from tests.label_studio import NO_TLS
from tests.patience import PATIENCE_SECONDS
from tests.real_label_studio import ROOT

USER = "10001"
LARGEST_MEGABYTES = 380
ALONE = "dubito-test-alone"
CREDENTIALS = ("dubito", "for-tests-only")
# No tmpfs but the one for /tmp: podman would add more.
READ_ONLY = ("--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp")  # noqa: S108


def look(engine: Engine, script: str) -> str:
    """Look around in a container of the image."""
    return engine.podman("run", "--rm", *READ_ONLY, DUBITO, "sh", "-c", script)


def test_its_description_is_that_of_the_package(engine: Engine) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    labels = json.loads(engine.inspect(DUBITO, "{{json .Config.Labels}}"))

    prefix = "org.opencontainers.image."
    names = ("version", "description", "licenses")
    named = {name: labels[prefix + name] for name in names}
    assert named == {
        "version": project["version"],
        "description": project["description"],
        "licenses": project["license"],
    }


def test_it_says_how_to_start_to_ask_and_to_stop_it(engine: Engine) -> None:
    config = json.loads(engine.inspect(DUBITO, "{{json .Config}}"))

    assert config["Cmd"] == ["dubito", "web"]
    assert config["StopSignal"] in {"SIGTERM", "15"}
    test = json.loads(engine.inspect(DUBITO, "{{json .HealthCheck.Test}}"))
    assert test == ["CMD", "dubito", "health"]
    assert config["User"] == f"{USER}:{USER}"


def test_nobody_in_it_is_root_and_the_code_is_not_theirs(engine: Engine) -> None:
    assert look(engine, "id -u") == USER
    assert look(engine, f"find /opt/dubito -user {USER} | wc -l") == "0"
    assert look(engine, "find /opt/dubito -perm /022 ! -type l | wc -l") == "0"


@pytest.mark.parametrize(
    "what",
    [
        "-path '/opt/dubito/*' -type d -name tests",
        "-path '/opt/dubito/*' -name pip",
        "-path '/usr/local/*' -name pip",
        "-path '*/bin/pip*'",
        "-name 'gcc*' -path '*/bin/*'",
        "-path '*/.cache/*'",
        "-path '/var/cache/pip/*'",
        "-path '/src*'",
        "-name '.env*' -type f -not -path '/etc/*'",
    ],
)
def test_nothing_is_in_it_that_only_building_needs(engine: Engine, what: str) -> None:
    assert look(engine, f"find / -xdev {what} 2>/dev/null; true") == ""


def test_it_is_small(engine: Engine) -> None:
    """The README says how big: what we add to the base."""
    megabytes = int(look(engine, "du -sm /opt/dubito").split()[0])

    assert megabytes < LARGEST_MEGABYTES


def test_what_it_imports_is_compiled_already(engine: Engine) -> None:
    """A read-only root keeps nothing: each start would compile it all anew."""
    imported = "import dubito.backend.web.server, dubito.backend.worker.jobs, sys"
    missing = "[m for m in sys.modules.values() if (c := getattr(m, '__cached__', 0))"
    script = f"{imported}, os; print({missing} and not os.path.exists(c)"
    where = "and m.__file__.startswith('/opt/dubito')])"

    assert look(engine, f'python3 -c "{script} {where}"') == "[]"


def test_it_knows_what_texts_mean(engine: Engine) -> None:
    module = "dubito.backend.data_kinds.sentence_vectors"
    asked = f"from {module} import sentence_vector as of; print(len(of('rain')))"

    assert int(look(engine, f'python3 -c "{asked}"')) == 2 * 512


def test_it_refuses_to_serve_everybody(engine: Engine) -> None:
    refused = engine.call("podman", "run", "--rm", DUBITO)

    assert refused.returncode == 1
    assert "set BASIC_AUTH_USER and BASIC_AUTH_PASS" in refused.stderr


@pytest.fixture
def alone(engine: Engine) -> Iterator[httpx.Client]:
    """Start the image alone, as the README does."""
    port = free_port()
    settings = {
        "LABEL_STUDIO_URL": "http://label-studio.invalid:8080",
        "LABEL_STUDIO_API_KEY": "none",
        "BASIC_AUTH_USER": CREDENTIALS[0],
        "BASIC_AUTH_PASS": CREDENTIALS[1],
    }
    engine.podman(
        *("run", "--detach", "--name", ALONE, *READ_ONLY, "--cap-drop", "all"),
        *("--publish", f"127.0.0.1:{port}:9090", "--volume", f"{ALONE}:/data"),
        *(f"--env={name}={value}" for name, value in settings.items()),
        *(DUBITO, "dubito", "serve"),
    )
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(
        base_url=url, auth=CREDENTIALS, verify=NO_TLS, timeout=PATIENCE_SECONDS
    ) as client:
        until(lambda: _is_well(engine), "it did not become well", START_SECONDS)
        yield client
    engine.podman("rm", "--force", "--time", "0", ALONE)
    engine.podman("volume", "rm", ALONE)


def _is_well(engine: Engine) -> bool:
    return engine.call("podman", "healthcheck", "run", ALONE).returncode == 0


def test_alone_it_brings_its_own_store_and_keeps_it(
    engine: Engine, alone: httpx.Client
) -> None:
    """It counts what it hears; nobody has connected the project that this is of."""
    counted = 'dubito_events_total{action="of unknown projects"} 1.0'
    alone.post("/webhook", json=event("PROJECT_UPDATED")).raise_for_status()
    until(
        lambda: counted in alone.get("/metrics").text,
        "it was not counted",
        START_SECONDS,
    )

    engine.podman("stop", "--time", "30", ALONE)

    assert engine.inspect(ALONE, "{{.State.ExitCode}}") == "0"
    engine.podman("start", ALONE)
    until(lambda: _is_well(engine), "it did not become well again", START_SECONDS)
    assert counted in alone.get("/metrics").text
