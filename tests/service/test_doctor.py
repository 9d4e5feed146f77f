"""`dubito doctor`: each thing broken once is found, with a cure that cures it."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import flask
import orjson
import pytest
from click.testing import CliRunner
from redis import Redis

from dubito.backend.cli import main
from dubito.backend.connection.attachments import SECRET_HEADER
from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.doctor import (
    command,
    context,
    label_studio,
    machine,
    project,
    reach,
    runner,
)
from dubito.backend.doctor.command import DoctorOptions, run
from dubito.backend.doctor.reach import is_refusal
from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG
from dubito.backend.labelstudio.versions import TESTED
from dubito.backend.settings import Settings
from dubito.backend.state import heartbeats, keys
from dubito.backend.state.assessments import AssessmentSummary, SolePredictor
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.version import own_version
from tests.dubito_process import Rows, rows_project
from tests.fake_label_studio.faults import Fault
from tests.fake_label_studio.outgoing import LEGACY_TOKEN
from tests.label_studio import JsonObject
from tests.loopback import served
from tests.patience import PATIENCE_SECONDS
from tests.service.stand import Stand
from tests.sink import Sink
from tests.store import kept_in

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse"  # noqa: S105 - of no service at all
TO_CURE = {"warning", "fault"}
Act = Callable[["Clinic"], None]


def is_to_be_cured(finding: JsonObject) -> bool:
    """Return whether something is wrong; that a machine is busy is nothing to us."""
    is_slow = finding["mark"] == "warning" and ", answers in " in finding["what"]
    return finding["mark"] in TO_CURE and not is_slow


@dataclass(slots=True)
class Clinic:
    """A Dubito with one connected project, and the doctor who looks at it."""

    bench: Stand
    redis: Redis
    settings: Settings
    rows: Rows
    capsys: pytest.CaptureFixture[str]
    healthy: bool = field(default=True, init=False)

    @property
    def project(self) -> int:
        return self.rows.project

    @property
    def hooks(self) -> list[JsonObject]:
        return self.bench.label_studio.webhooks(self.project)

    @property
    def backend(self) -> JsonObject:
        """Our row as Label Studio keeps it, to be spoilt."""
        (row,) = self.bench.server.context.tables.backends.values()
        return row.fields

    def connect(self) -> None:
        self.bench.connect(self.project)

    def ask(self, **wishes: bool) -> dict[str, JsonObject]:
        """Return what the doctor finds, by the name of the check."""
        chosen = DoctorOptions(project=self.project, as_json=True, **wishes)
        self.healthy = run(self.settings, chosen)
        report = orjson.loads(self.capsys.readouterr().out)
        return {finding["check"]: finding for finding in report["findings"]}

    def complaints(self, **wishes: bool) -> dict[str, JsonObject]:
        """Return only what should be cured; each must say why, and how."""
        findings = self.ask(**wishes)
        ill = {name: one for name, one in findings.items() if is_to_be_cured(one)}
        for one in ill.values():
            assert one["what"]
            assert one["why"]
            assert one["cures"]
        assert self.healthy == ("fault" not in {one["mark"] for one in ill.values()})
        return ill


@pytest.fixture
def ample_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each check all the time that a slow machine takes."""
    for module, name in (
        (context, "ANSWER_SECONDS"),
        (label_studio, "ANSWER_SECONDS"),
        (machine, "WEB_SECONDS"),
        (reach, "HEALTH_SECONDS"),
        (runner, "CHECK_SECONDS"),
        (runner, "WHOLE_SECONDS"),
        (command, "STORE_SECONDS"),
        (heartbeats, "ALIVE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, PATIENCE_SECONDS)


@pytest.fixture
def clinic(
    bench: Stand,
    redis: Redis,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ample_time: None,  # noqa: ARG001
) -> Clinic:
    rows = rows_project(bench.label_studio, 12)
    bench.connect(rows.project)
    Heartbeats(redis).beat("here", 1, own_version())
    port = int(bench.url.rpartition(":")[2])
    settings = bench.services.settings.having(port=port, data_dir=tmp_path)
    return Clinic(bench, redis, settings, rows, capsys)


def test_a_big_project_is_told_of_quick_imports(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "BULK_TASKS", 10)

    before = clinic.complaints()
    clinic.bench.server.options.imports_quickly = True
    after = clinic.complaints()

    assert before["first_scores"]["mark"] == "warning"
    assert QUICK_IMPORT_FLAG in before["first_scores"]["cures"][0]
    assert "first_scores" not in after


def test_a_healthy_set_up_has_no_complaint(clinic: Clinic) -> None:
    findings = clinic.ask()

    assert not [one for one in findings.values() if is_to_be_cured(one)]
    assert "skipped" not in {one["mark"] for one in findings.values()}
    assert clinic.healthy


def test_a_column_that_gives_the_labels_away_is_named(clinic: Clinic) -> None:
    gold = SolePredictor(column="f0", accuracy=1.0, labels=80)
    finding = AssessmentSummary(basis="", round=1, labels=80, sole_predictors=(gold,))
    clinic.bench.state(clinic.project).assessments.save(finding)

    [(name, complaint)] = clinic.complaints().items()

    assert (name, complaint["mark"]) == ("columns", "warning")
    assert "'f0' (100%)" in str(complaint["what"])
    assert '{"features":["f1",' in str(complaint["cures"])


@pytest.mark.parametrize("is_broken", [False, True])
def test_looking_changes_nothing(clinic: Clinic, *, is_broken: bool) -> None:
    """But that Label Studio calls us, as it does whenever its settings are opened."""
    if is_broken:
        _delete_hooks(clinic)
        _patch(sampling="Sequential sampling")(clinic)
    requests = clinic.bench.faults.requests
    before, seen = _content(clinic.redis), len(requests)

    clinic.ask()

    asked = {method for method, path in requests[seen:] if "/token/" not in path}
    assert asked == {"GET"}
    assert _content(clinic.redis) == before


def _content(redis: Redis) -> dict[str, object]:
    """Return what the store holds, but for the note that Label Studio called."""
    content = kept_in(redis)
    for name, value in content.items():
        if name.endswith(keys.RECORD) and isinstance(value, dict):
            value.pop(b"setup_at", None)
    return {name: v for name, v in content.items() if not name.endswith(f":{keys.DUE}")}


def _change_hook(**fields: object) -> Act:
    def change(clinic: Clinic) -> None:
        (hook,) = clinic.hooks
        path = f"/api/webhooks/{hook['id']}/"
        clinic.bench.label_studio.call("PATCH", path, json={**hook, **fields})

    return change


def _delete_hooks(clinic: Clinic) -> None:
    for hook in clinic.hooks:
        clinic.bench.label_studio.call("DELETE", f"/api/webhooks/{hook['id']}/")


def _add_hook(clinic: Clinic, url: str) -> None:
    headers = clinic.hooks[0]["headers"]
    clinic.bench.label_studio.add_webhook(clinic.project, url, headers=headers)


def _delete_left_behind(clinic: Clinic) -> None:
    (old,) = (hook for hook in clinic.hooks if "elsewhere" in hook["url"])
    clinic.bench.label_studio.call("DELETE", f"/api/webhooks/{old['id']}/")


def _patch(**fields: object) -> Act:
    return lambda clinic: _ignore(
        clinic.bench.label_studio.patch_project(clinic.project, **fields)
    )


def _ignore(_: object) -> None:
    """Let an answer go."""


def _order_by_theirs(clinic: Clinic) -> None:
    clinic.bench.label_studio.add_prediction(clinic.rows.tasks[9], 0.5, "theirs")
    _patch(model_version="theirs")(clinic)


def _remove_backend(clinic: Clinic) -> None:
    clinic.bench.server.context.tables.backends.clear()


def _extra_params(value: object) -> Act:
    return lambda clinic: clinic.backend.update(extra_params=value)


def _note(**facts: object) -> Act:
    return lambda clinic: clinic.bench.state(clinic.project).note(**facts)


def _end_worker(clinic: Clinic) -> None:
    Heartbeats(clinic.redis).end("here", 1)


def _beat(clinic: Clinic) -> None:
    Heartbeats(clinic.redis).beat("here", 1, own_version())


def _beat_as(version: str) -> Act:
    return lambda clinic: Heartbeats(clinic.redis).beat("there", 8, version)


def _end_other(clinic: Clinic) -> None:
    Heartbeats(clinic.redis).end("there", 8)


def _pile_up(clinic: Clinic) -> None:
    clinic.redis.rpush(clinic.bench.services.queue.key, *map(str, range(60)))


def _clear_queue(clinic: Clinic) -> None:
    clinic.redis.delete(clinic.bench.services.queue.key)


def _seen(how: str) -> Act:
    return lambda clinic: _ignore(clinic.redis.set(keys.LABEL_STUDIO, how))


def _wait_long(clinic: Clinic) -> None:
    state = clinic.bench.state(clinic.project)
    state.work.request()
    now = state.clock()
    state.note(last_event_at=now - 90, published_at=now - 120)


def _finish(clinic: Clinic) -> None:
    clinic.bench.look_after(clinic.project)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing broken, what is said of it, and its cure carried out."""

    spoil: Act
    check: str
    mark: str = "fault"
    sentence: str
    cure: str
    heal: Act = Clinic.connect


CONNECT = r"`dubito connect --project \d+`"
UNLEARNABLE = (
    '<View><Text name="item" value="$row"/><TextArea name="t" toName="item"/></View>'
)
CASES = {
    "no webhook": Case(
        spoil=_delete_hooks,
        check="webhook",
        sentence="there is no webhook",
        cure=CONNECT,
    ),
    "webhook off": Case(
        spoil=_change_hook(is_active=False),
        check="webhook",
        sentence="switched off",
        cure=CONNECT,
    ),
    "webhook for some events": Case(
        spoil=_change_hook(send_for_all_actions=False),
        check="webhook",
        sentence="not sent for all",
        cure=CONNECT,
    ),
    "webhook without payload": Case(
        spoil=_change_hook(send_payload=False),
        check="webhook",
        sentence="no payload",
        cure=CONNECT,
    ),
    "webhook with another secret": Case(
        spoil=_change_hook(headers={SECRET_HEADER: "guessed"}),
        check="webhook",
        sentence="another secret",
        cure=CONNECT,
    ),
    "webhook without secret": Case(
        spoil=_change_hook(headers={}),
        check="webhook",
        sentence="no secret",
        cure=CONNECT,
    ),
    "two webhooks": Case(
        spoil=lambda clinic: _add_hook(clinic, f"{clinic.bench.url}/webhook"),
        check="webhook",
        mark="warning",
        sentence="there are 2",
        cure=CONNECT,
    ),
    "webhook left behind": Case(
        spoil=lambda clinic: _add_hook(clinic, "http://elsewhere.example/webhook"),
        check="other_webhooks",
        mark="warning",
        sentence="elsewhere.example",
        cure="Settings → Webhooks",
        heal=_delete_left_behind,
    ),
    "another sampling": Case(
        spoil=_patch(sampling="Uniform sampling"),
        check="sampling",
        sentence="Uniform sampling",
        cure="Task Sampling: choose Uncertainty sampling",
        heal=_patch(sampling="Uncertainty sampling"),
    ),
    "another sampling, by connect": Case(
        spoil=_patch(sampling="Sequential sampling"),
        check="sampling",
        sentence="Sequential",
        cure=CONNECT,
    ),
    "a foreign version": Case(
        spoil=_order_by_theirs, check="model_version", sentence="'theirs'", cure=CONNECT
    ),
    "the dialog's version": Case(
        spoil=_patch(model_version="Dubito"),
        check="model_version",
        mark="warning",
        sentence="'Dubito'",
        cure=CONNECT,
    ),
    "no backend": Case(
        spoil=_remove_backend,
        check="backend",
        sentence="does not contain",
        cure=CONNECT,
    ),
    "unusable extra params": Case(
        spoil=_extra_params({"window": "many"}),
        check="extra_params",
        mark="warning",
        sentence="window",
        cure="Settings → Model",
        heal=_extra_params(None),
    ),
    "paused": Case(
        spoil=_note(paused="somebody else orders the tasks"),
        check="work",
        sentence="somebody else orders",
        cure=CONNECT,
    ),
    "events wait": Case(
        spoil=_wait_long,
        check="work",
        sentence="1 events wait",
        cure="`dubito worker`",
        heal=_finish,
    ),
    "no event ever": Case(
        spoil=_note(last_event_at=None),
        check="event",
        mark="warning",
        sentence="no event has arrived",
        cure="--live",
        heal=_patch(title="a new title"),
    ),
    "no worker": Case(
        spoil=_end_worker,
        check="workers",
        sentence="no worker runs",
        cure="`dubito serve`",
        heal=_beat,
    ),
    "a worker of another version": Case(
        spoil=_beat_as("99.0"),
        check="workers",
        mark="warning",
        sentence="process 8 on there has version 99.0",
        cure="install the same version everywhere",
        heal=_end_other,
    ),
    "a worker that does not say its version": Case(
        spoil=_beat_as(""),
        check="workers",
        mark="warning",
        sentence="process 8 on there has version unknown",
        cure="install the same version everywhere",
        heal=_end_other,
    ),
    "a long queue": Case(
        spoil=_pile_up,
        check="queue",
        mark="warning",
        sentence="60 jobs",
        cure="WORKERS",
        heal=_clear_queue,
    ),
    "the service has another key": Case(
        spoil=_seen("refuses the key"),
        check="seen",
        sentence="refuses the key",
        cure="LABEL_STUDIO_API_KEY",
        heal=_seen("up"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_broken_is_found_and_its_cure_cures_it(
    clinic: Clinic, case: Case
) -> None:
    case.spoil(clinic)

    ill = clinic.complaints()

    assert list(ill) == [case.check]
    assert ill[case.check]["mark"] == case.mark
    assert case.sentence in ill[case.check]["what"]
    assert re.search(case.cure, "\n".join(ill[case.check]["cures"]))
    case.heal(clinic)
    assert clinic.complaints() == {}


def test_a_label_config_without_choices_is_found(clinic: Clinic) -> None:
    """It can be put there past the checks of Label Studio's own page."""
    project = clinic.bench.server.context.tables.projects[clinic.project]
    whole = project.fields["label_config"]
    project.fields["label_config"] = UNLEARNABLE

    ill = clinic.complaints()

    assert list(ill) == ["label_config"]
    assert "no <Choices>" in ill["label_config"]["what"]
    assert "Labeling Interface" in ill["label_config"]["cures"][0]
    project.fields["label_config"] = whole
    assert clinic.complaints() == {}


def test_a_project_that_was_never_connected_is_said_so(clinic: Clinic) -> None:
    clinic.rows = rows_project(clinic.bench.label_studio, 3)

    ill = clinic.complaints()

    assert list(ill) == ["connected"]
    clinic.connect()
    assert clinic.complaints() == {}


def test_a_deleted_project_is_said_so(clinic: Clinic) -> None:
    clinic.bench.label_studio.delete_project(clinic.project)

    ill = clinic.complaints()

    assert list(ill) == ["project"]
    assert "`dubito disconnect --project" in str(ill["project"]["cures"])


KEYS = {
    "none": ("", "no API key is set", "LABEL_STUDIO_API_KEY"),
    "of a kind that is switched off": (LEGACY_TOKEN, "switched off", "Legacy Tokens"),
    "refused": ("no.such.token", "rejects it", "Personal Access Token"),
    "expired": ("a.eyJleHAiOjE3MDAwMDAwMDB9.b", "expired on 2023-11-14", "Token"),
}


@pytest.mark.parametrize(("key", "sentence", "cure"), KEYS.values(), ids=KEYS)
def test_a_key_that_opens_nothing_is_found(
    clinic: Clinic, key: str, sentence: str, cure: str
) -> None:
    healthy = clinic.settings
    clinic.settings = healthy.having(label_studio_key=key)

    ill = clinic.complaints()

    assert list(ill) == ["key"]
    assert sentence in ill["key"]["what"]
    assert cure in str(ill["key"]["cures"])
    clinic.settings = healthy
    assert clinic.complaints() == {}


def test_a_legacy_token_is_well_where_it_is_taken(clinic: Clinic) -> None:
    clinic.settings = clinic.settings.having(label_studio_key=LEGACY_TOKEN)
    clinic.bench.server.options.legacy_tokens = True

    findings = clinic.ask()

    assert findings["key"]["mark"] == "ok"
    assert "legacy token" in findings["key"]["what"]


def test_without_label_studio_the_store_is_looked_at(clinic: Clinic) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    clinic.settings = clinic.settings.having(label_studio_url=nowhere)

    findings = clinic.ask()

    assert not clinic.healthy
    assert findings["label_studio"]["mark"] == "fault"
    assert "LABEL_STUDIO_URL" in str(findings["label_studio"]["cures"])
    assert findings["store"]["mark"] == findings["workers"]["mark"] == "ok"
    assert findings["webhook"]["mark"] == "skipped"


def test_what_is_no_label_studio_is_said_so(clinic: Clinic, sink: Sink) -> None:
    clinic.settings = clinic.settings.having(label_studio_url=sink.url)

    ill = clinic.complaints()

    assert list(ill) == ["label_studio"]
    assert "is not Label Studio" in ill["label_studio"]["what"]


@pytest.mark.parametrize(
    ("status", "words", "cure"),
    [
        (401, "is not Label Studio", "without another log-in"),
        (429, "answers with status 429", "wait until it has started"),
        (502, "answers with status 502", "wait until it has started"),
    ],
)
def test_what_a_proxy_answers_in_its_place_is_told(
    clinic: Clinic, status: int, words: str, cure: str
) -> None:
    clinic.bench.faults.plan(Fault(path="/api/version", status=status, html=True))

    ill = clinic.complaints()

    assert list(ill) == ["label_studio"]
    assert words in ill["label_studio"]["what"]
    assert cure in str(ill["label_studio"]["cures"])


def test_a_log_in_that_only_the_api_asks_for_is_told(clinic: Clinic) -> None:
    whoami = "/api/current-user/whoami"
    clinic.bench.faults.plan(Fault(path=whoami, status=401, html=True, times=2))

    ill = clinic.complaints()

    assert list(ill) == ["key"]
    assert "a page with status 401" in ill["key"]["what"]
    assert "without another log-in" in ill["key"]["what"]


@pytest.mark.parametrize(
    ("onward", "cure"),
    [
        ("/labels/api/version", "LABEL_STUDIO_URL={url}/labels"),
        ("https://safe.example/labels/api/version", "=https://safe.example/labels"),
        ("https://log-in.example/start?next=x", "without another log-in"),
    ],
)
def test_of_a_redirect_the_whole_address_is_told(
    clinic: Clinic, onward: str, cure: str
) -> None:
    app = flask.Flask(__name__)
    app.add_url_rule("/api/version", view_func=lambda: flask.redirect(onward))
    with served(app) as url:
        clinic.settings = clinic.settings.having(label_studio_url=url)
        ill = clinic.complaints()

    assert list(ill) == ["label_studio"]
    assert cure.format(url=url) in str(ill["label_studio"]["cures"])


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("1.9.2.post0", "too old, the oldest tested version is"),
        ("1.21.0", "tested versions: "),
        ("develop", "tested versions: "),
    ],
)
def test_a_version_that_nobody_has_tried_is_named(
    clinic: Clinic, release: str, words: str
) -> None:
    options = clinic.bench.server.options
    options.release = release
    untested = clinic.ask()["label_studio"]
    options.release = TESTED[0]
    tested = clinic.ask()["label_studio"]

    assert untested["mark"] == "warning"
    assert f"{release} at " in untested["what"]
    assert words in untested["what"]
    assert TESTED[-1] in untested["cures"][0]
    assert "tested" not in tested["what"]


def test_a_hanging_label_studio_holds_nobody_for_long(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs_seconds = 2 * PATIENCE_SECONDS
    monkeypatch.setattr(label_studio, "ANSWER_SECONDS", 1.0)
    clinic.bench.faults.plan(Fault(path="/api/version", delay_seconds=hangs_seconds))
    began = time.monotonic()

    ill = clinic.complaints()

    assert time.monotonic() - began < hangs_seconds
    assert list(ill) == ["label_studio"]
    assert "timeout after 1 s" in ill["label_studio"]["what"]


def test_without_a_store_label_studio_is_looked_at(
    clinic: Clinic, tmp_path: Path
) -> None:
    """The first cure is to start it, and the way back is seen all the same."""
    directory = tmp_path / "empty"
    directory.mkdir()
    clinic.settings = clinic.settings.having(redis_url="", data_dir=directory)

    findings = clinic.ask()

    assert [name for name in findings if is_to_be_cured(findings[name])] == ["store"]
    assert "`dubito serve`" in str(findings["store"]["cures"])
    well = ("key", "project", "backend", "reach", "webhook", "sampling")
    assert {findings[name]["mark"] for name in well} == {"ok"}
    assert findings["workers"]["mark"] == findings["work"]["mark"] == "skipped"


@pytest.fixture
def configured(redis: Redis) -> Iterator[Redis]:
    """Let a test set the store otherwise, and set it back."""
    names = ("maxmemory", "maxmemory-policy", "appendonly")
    before = {name: redis.config_get(name)[name] for name in names}
    yield redis
    for name, value in before.items():
        redis.config_set(name, value)


STORES = {
    "throws labels away": (
        {"maxmemory": "500mb", "maxmemory-policy": "allkeys-lru"},
        ("memory", "fault"),
        "maxmemory-policy noeviction",
    ),
    "keeps nothing": (
        {"appendonly": "no"},
        ("persistence", "warning"),
        "CONFIG SET appendonly yes",
    ),
}


@pytest.mark.parametrize(("options", "expected", "cure"), STORES.values(), ids=STORES)
def test_a_store_that_would_lose_labels_is_found(
    clinic: Clinic,
    configured: Redis,
    options: dict[str, str],
    expected: tuple[str, str],
    cure: str,
) -> None:
    healthy = {name: configured.config_get(name)[name] for name in options}
    for name, value in options.items():
        configured.config_set(name, value)

    ill = clinic.complaints()

    ((name, one),) = ill.items()
    assert (name, one["mark"]) == expected
    assert cure in str(one["cures"])
    for name, value in healthy.items():
        configured.config_set(name, value)
    assert clinic.complaints() == {}


def test_a_full_store_is_found(clinic: Clinic, configured: Redis) -> None:
    """It takes nothing any more, Label Studio's calls included."""
    configured.config_set("maxmemory", "200kb")

    ill = clinic.complaints()

    assert ill.keys() - {"web"} == {"memory", "writes", "reach"}
    assert "CONFIG SET maxmemory" in str(ill["memory"]["cures"])
    assert "maxmemory" in str(ill["writes"]["cures"])
    assert "fix the store" in str(ill["reach"]["cures"])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("401 Client Error: UNAUTHORIZED for url: http://dubito.internal/setup", True),
        ("Client error '403 FORBIDDEN' for url 'http://127.0.0.1:9090/setup'", True),
        ("503 Server Error: for url: http://127.0.0.1:24013/setup", False),
        ("500 Server Error: for url: http://127.0.0.1:401/setup", False),
        ("HTTPConnectionPool(host='127.0.0.1', port=403): Read timed out.", False),
        ("", False),
    ],
)
def test_only_a_status_asks_for_a_password(message: str, *, expected: bool) -> None:
    assert is_refusal(message) is expected


def test_a_network_without_password_is_warned_of(clinic: Clinic) -> None:
    clinic.settings = replace(clinic.settings, host="0.0.0.0")  # noqa: S104

    ill = clinic.complaints()

    assert list(ill) == ["settings"]
    assert "BASIC_AUTH_USER" in str(ill["settings"]["cures"])


def test_a_web_server_that_is_down_is_found(clinic: Clinic) -> None:
    clinic.settings = clinic.settings.having(port=free_port())

    ill = clinic.complaints()

    assert list(ill) == ["web"]
    assert "`dubito web`" in str(ill["web"]["cures"])


def test_a_web_server_without_the_password_that_is_set_is_found(
    clinic: Clinic,
) -> None:
    clinic.settings = replace(
        clinic.settings, basic_auth_user="u", basic_auth_pass=PASSWORD
    )

    ill = clinic.complaints()

    assert list(ill) == ["web"]
    assert "requires no password" in ill["web"]["what"]


def test_a_label_studio_that_refuses_our_address_is_polled(clinic: Clinic) -> None:
    """Both settings are named; once it allows us, connecting again is enough."""
    options = clinic.bench.server.options
    options.block_ml_addresses = options.block_webhook_addresses = True
    _remove_backend(clinic)
    _delete_hooks(clinic)
    clinic.connect()

    ill = clinic.complaints()

    assert list(ill) == ["backend"]
    assert ill["backend"]["mark"] == "warning"
    cures = str(ill["backend"]["cures"])
    assert "ML_BLOCK_LOCAL_IP=false" in cures
    assert "SSRF_PROTECTION_ENABLED=false" in cures
    options.block_ml_addresses = options.block_webhook_addresses = False
    clinic.connect()
    assert clinic.complaints() == {}


def test_a_host_without_a_dot_is_found(clinic: Clinic) -> None:
    clinic.backend.update(url="http://dubito:9090")

    ill = clinic.complaints()

    assert "no dot" in ill["backend"]["what"]
    assert "--backend-url" in str(ill["backend"]["cures"])


def test_an_address_where_nobody_answers_is_found(clinic: Clinic) -> None:
    ours = clinic.backend["url"]
    clinic.backend.update(url=f"http://127.0.0.1:{free_port()}")

    ill = clinic.complaints()

    assert "and neither can this machine" in ill["reach"]["what"]
    assert "`dubito serve`" in str(ill["reach"]["cures"])
    clinic.backend.update(url=ours)
    assert clinic.complaints() == {}


def _lose_the_store(clinic: Clinic) -> None:
    clinic.redis.flushall()
    Heartbeats(clinic.redis).beat("here", 1, own_version())


def test_a_lost_store_is_not_taken_for_another_dubito(clinic: Clinic) -> None:
    """The webhook's secret is not known any more, but it leads to this Dubito."""
    _lose_the_store(clinic)

    ill = clinic.complaints()

    assert "other_dubitos" not in ill
    assert re.search(CONNECT, ill["connected"]["cures"][0])
    clinic.connect()
    assert clinic.complaints() == {}


def test_after_a_loss_the_address_of_the_connection_is_asked_about(
    clinic: Clinic,
) -> None:
    """Label Studio may call Dubito by another address than this machine."""
    _lose_the_store(clinic)
    clinic.settings = clinic.settings.having(port=free_port())

    one = clinic.ask()["other_dubitos"]

    assert one["mark"] == "fault"
    assert f"at {clinic.bench.url}; this one" in one["what"]
    assert f"--backend-url {clinic.bench.url}`" in one["cures"][0]


def test_another_dubito_at_our_address_is_found(clinic: Clinic, sink: Sink) -> None:
    clinic.backend.update(url=sink.url)

    ill = clinic.complaints()

    assert "another program than this Dubito" in ill["reach"]["what"]
    assert f"--backend-url {clinic.bench.url}" in str(ill["reach"]["cures"])


def test_events_that_get_lost_are_found_by_sending_one(clinic: Clinic) -> None:
    clinic.bench.faults.lose_webhooks = "all"

    unseen, ill = clinic.complaints(), clinic.complaints(live=True)

    assert unseen == {}
    assert list(ill) == ["event"]
    assert "SSRF_PROTECTION_ENABLED=false" in str(ill["event"]["cures"])
    clinic.bench.faults.clear()
    findings = clinic.ask(live=True)
    assert "a test event" in findings["event"]["what"]
    assert clinic.healthy


@contextmanager
def worker_at_work(bench: Stand) -> Iterator[None]:
    """Let jobs run for the block, as a worker would."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.05):
            bench.run()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_fix_puts_right_what_connecting_can(clinic: Clinic) -> None:
    """And says so beside what scripts read."""
    _add_hook(clinic, f"{clinic.bench.url}/webhook")
    _patch(sampling="Sequential sampling")(clinic)
    assert list(clinic.complaints()) == ["webhook", "sampling"]

    with worker_at_work(clinic.bench):
        ill = clinic.complaints(fix=True)

    assert ill == {}
    assert len(clinic.hooks) == 1


def test_fix_changes_nothing_where_nothing_is_wrong(clinic: Clinic) -> None:
    requests = clinic.bench.faults.requests
    seen = len(requests)

    clinic.ask(fix=True)

    asked = {method for method, path in requests[seen:] if "/token/" not in path}
    assert asked == {"GET"}


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_is_shown(clinic: Clinic, *, as_json: bool) -> None:
    """Not even where an address holds one."""
    secret = clinic.bench.services.webhook_secret()
    address = clinic.backend["url"].replace("//", "//somebody:swordfish@")
    clinic.backend.update(url=address)
    _add_hook(clinic, f"{address}/webhook/old")
    clinic.settings = replace(
        clinic.settings, basic_auth_user="u", basic_auth_pass=PASSWORD
    )

    run(clinic.settings, DoctorOptions(project=clinic.project, as_json=as_json))

    output = "".join(clinic.capsys.readouterr())
    assert "webhook" in output
    hidden = (secret, clinic.bench.server.tokens[0], "swordfish", PASSWORD)
    assert not [one for one in hidden if one in output]


def test_people_get_a_line_for_each_check_and_the_cures_below(clinic: Clinic) -> None:
    """In 80 columns, by words, not by colours."""
    _delete_hooks(clinic)

    run(clinic.settings, DoctorOptions(project=clinic.project))

    output = clinic.capsys.readouterr().out
    assert max(map(len, output.splitlines())) <= 80
    assert re.search(r"^  FAULT  webhook +there is no webhook", output, re.MULTILINE)
    assert re.search(r"^  ok     sampling +Uncertainty", output, re.MULTILINE)
    assert re.search(r"^   do   `dubito connect --project \d+`", output, re.MULTILINE)
    assert "faults: 1" in output.splitlines()[-1]


def test_scripts_get_the_same_names_every_time(clinic: Clinic) -> None:
    """Whatever is down: a name that is missing would break who reads it."""
    healthy = clinic.ask()
    clinic.settings = clinic.settings.having(label_studio_key="")
    without_key = clinic.ask()

    assert list(healthy) == list(without_key)
    names = {"check", "area", "project", "mark", "what", "why", "cures", "fixable"}
    assert {frozenset(one) for one in healthy.values()} == {frozenset(names)}


@pytest.mark.parametrize(
    "arguments", [["--fix"], ["--project", "0"], ["--project", "x"], ["--no"]], ids=str
)
def test_what_is_typed_wrong_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["doctor", *arguments]).exit_code == 2


def named_commands() -> set[tuple[str, str]]:
    """Return the commands that cures name, with their options, by the code's text."""
    texts = (path.read_text() for path in (ROOT / "backend" / "doctor").glob("*.py"))
    commands = re.findall(r"`dubito ([a-z]+)([^`\n]*)`", "\n".join(texts))
    return {(name, " ".join(re.findall(r"--[a-z-]+", rest))) for name, rest in commands}


@pytest.mark.parametrize(("name", "options"), sorted(named_commands()))
def test_every_command_that_a_cure_names_exists(name: str, options: str) -> None:
    help_run = CliRunner().invoke(main, [name, "--help"])

    assert help_run.exit_code == 0
    command = main.commands[name]
    assert isinstance(command, click.Command)
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(options.split()) <= known


def test_the_code_names_commands_where_the_test_above_looks_for_them() -> None:
    """A command that is not set as code would not be looked for."""
    assert {"connect", "serve", "worker", "doctor"} <= {n for n, _ in named_commands()}
