"""`dubito doctor` beside a real Label Studio and a real `dubito serve`."""

import json
import subprocess
from collections.abc import Mapping

import pytest

from dubito.backend.demo.label_studio_server import free_port
from tests.dubito_process import NOTHING, Dubito, Rows, rows_project
from tests.label_studio import JsonObject, LabelStudio

pytestmark = pytest.mark.end_to_end
TO_CURE = {"warning", "fault"}


@pytest.fixture(scope="module")
def rows(dubito: Dubito, real_label_studio: LabelStudio) -> Rows:
    """Make and connect a project; each test leaves it as it was."""
    made = rows_project(real_label_studio, 12)
    dubito.connect(made.project)
    return made


def examined(
    dubito: Dubito,
    project: int,
    *options: str,
    environment: Mapping[str, str] = NOTHING,
) -> tuple[int, dict[str, JsonObject]]:
    """Return how the command ended, and what is to be cured."""
    done = _run(dubito, project, *options, environment=environment)
    findings = json.loads(done.stdout)["findings"]
    ill = {one["check"]: one for one in findings if is_to_be_cured(one)}
    return done.returncode, ill


def is_to_be_cured(finding: JsonObject) -> bool:
    """Return whether something is wrong; that a machine is busy is nothing to us."""
    is_slow = finding["mark"] == "warning" and ", answers in " in finding["what"]
    return finding["mark"] in TO_CURE and not is_slow


def _run(
    dubito: Dubito, project: int, *options: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    arguments = ("doctor", "--project", str(project), "--json", *options)
    done = dubito.cli(*arguments, environment=environment)
    assert "Traceback" not in done.stderr
    assert dubito.environment["LABEL_STUDIO_API_KEY"] not in done.stdout + done.stderr
    return done


def settings_of(label_studio: LabelStudio, project: int) -> JsonObject:
    """Return all that a project holds and that looking must not change."""
    hooks = label_studio.webhooks(project)
    backends = label_studio.ml_backends(project)
    return {
        "project": label_studio.project(project),
        "hooks": hooks,
        "backends": [(row["id"], row["url"], row["title"]) for row in backends],
        "rows": len(label_studio.predictions(project)),
    }


def test_a_healthy_project_ends_with_0_and_is_left_as_it_was(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """Also when an event is sent for the sake of it: nothing is saved by it."""
    dubito.until(
        lambda: len(real_label_studio.predictions(rows.project)) == 12,
        "rows are missing",
    )
    before = settings_of(real_label_studio, rows.project)

    quiet = examined(dubito, rows.project)
    live = examined(dubito, rows.project, "--live")

    assert quiet == live == (0, {})
    assert settings_of(real_label_studio, rows.project) == before


def test_what_people_undid_is_found_and_put_right(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    (hook,) = real_label_studio.webhooks(rows.project)
    real_label_studio.call("DELETE", f"/api/webhooks/{hook['id']}/")
    real_label_studio.patch_project(rows.project, sampling="Sequential sampling")

    code, ill = examined(dubito, rows.project)

    assert code == 1
    # Whether the worker has noticed by now, and said so, is a matter of seconds.
    assert ill.keys() - {"work"} == {"webhook", "sampling"}
    assert examined(dubito, rows.project, "--fix") == (0, {})
    assert len(real_label_studio.webhooks(rows.project)) == 1


def test_a_label_studio_that_is_down_is_found(dubito: Dubito, rows: Rows) -> None:
    nowhere = {"LABEL_STUDIO_URL": f"http://127.0.0.1:{free_port()}"}

    code, ill = examined(dubito, rows.project, environment=nowhere)

    assert (code, list(ill)) == (1, ["label_studio"])
    assert "no answer" in ill["label_studio"]["what"]


def test_a_wrong_key_is_found(dubito: Dubito, rows: Rows) -> None:
    wrong = {"LABEL_STUDIO_API_KEY": "eyJ.eyJhIjoxfQ.wrong"}

    code, ill = examined(dubito, rows.project, environment=wrong)

    assert (code, list(ill)) == (1, ["key"])
    assert "rejects it" in ill["key"]["what"]


def test_a_legacy_token_is_found(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """A valid one: Label Studio has them switched off as it comes."""
    legacy = real_label_studio.call("GET", "/api/current-user/token")["token"]

    code, ill = examined(
        dubito, rows.project, environment={"LABEL_STUDIO_API_KEY": legacy}
    )

    assert (code, list(ill)) == (1, ["key"])
    assert "switched off" in ill["key"]["what"]
    assert "Legacy Tokens" in str(ill["key"]["cures"])
