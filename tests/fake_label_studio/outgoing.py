"""What the fake Label Studio sends: webhooks, and calls of ML backends."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import flask
import httpx

from tests.fake_label_studio import bodies
from tests.fake_label_studio.context import ApiError, Context
from tests.fake_label_studio.faults import Letter
from tests.fake_label_studio.records import JsonObject, Prediction, Project, Row, Task
from tests.label_studio import NO_TLS

WEBHOOK_TIMEOUT_SECONDS = 1.0
HEALTH_TIMEOUT_SECONDS = 10.0
SETUP_TIMEOUT_SECONDS = 10.0
"""Label Studio waits 1 s and 3 s. One process of tests plays both sides, and a busy
machine may hold it for longer."""
PREDICT_TIMEOUT_SECONDS = 100.0
WEBHOOK_AGENT = "python-requests/2.34.2"
ML_AGENT = "heartex/1.23.2"
LEGACY_TOKEN = "0" * 40

logger = logging.getLogger(__name__)


def refuse_local(url: str) -> None:
    """Answer as Label Studio does when it may not call a private address."""
    if urlsplit(url).hostname in {"127.0.0.1", "localhost"}:
        text = "URL resolves to a reserved network address (block: 127.0.0.0/8)"
        raise ApiError(HTTPStatus.FORBIDDEN, text)


def emit(context: Context, project: Project, action: str, **payload: object) -> None:
    """Write an event down as it is now; it goes out when the request is through."""
    for hook in context.tables.webhooks.values():
        wanted = hook.fields["send_for_all_actions"] or action in hook.fields["actions"]
        if hook.project != project.id or not hook.fields["is_active"] or not wanted:
            continue
        body: JsonObject = {"action": action}
        if hook.fields["send_payload"]:
            shown = bodies.webhook_project(context.tables, project)
            body = {**body, **payload, "project": shown}
        flask.g.outbox.append(
            (hook.fields["url"], hook.fields["headers"], json.dumps(body))
        )


def deliver(context: Context, outbox: Sequence[Letter]) -> None:
    """Send what was written down, once, without a second attempt."""
    for letter in outbox:
        if context.faults.loses_this_webhook():
            continue
        if context.options.block_webhook_addresses:
            continue
        if context.faults.delay_webhooks:
            context.faults.delayed.append(letter)
        else:
            post(letter)


def post(letter: Letter) -> None:
    """Send one webhook; what becomes of it is nobody's concern."""
    url, headers, content = letter
    sent = {"Content-Type": "application/json", "User-Agent": WEBHOOK_AGENT}
    try:
        httpx.post(
            url,
            content=content,
            headers={**sent, **headers},
            timeout=WEBHOOK_TIMEOUT_SECONDS,
            verify=NO_TLS,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        logger.info("webhook to %s failed: %r", url, error)


def update_state(context: Context, backend: Row) -> None:
    """Ask a backend how it is, and remember the answer."""
    fields = backend.fields
    try:
        setup = greet(context, backend)
    except httpx.HTTPStatusError as error:
        fields.update(state="ER", readable_state="Error", error_message=str(error))
    except httpx.HTTPError as error:
        text = "Disconnected"
        fields.update(state="DI", readable_state=text, error_message=str(error))
    else:
        fields.update(state="CO", readable_state="Connected", error_message=None)
        fields["model_version"] = setup.get("model_version")


def greet(context: Context, backend: Row) -> JsonObject:
    """Call `/health` and `/setup`, and return what the second one said."""
    call(context, backend, "health", None, HEALTH_TIMEOUT_SECONDS)
    project = context.tables.projects[backend.project]
    setup = {
        "project": project_key(project),
        "schema": project.fields["label_config"],
        "hostname": context.url,
        "access_token": LEGACY_TOKEN,
        "extra_params": backend.fields["extra_params"],
    }
    return call(context, backend, "setup", setup, SETUP_TIMEOUT_SECONDS)


def train(context: Context, backend: Row) -> None:
    """Send START_TRAINING, and do not mind what comes back."""
    project = context.tables.projects[backend.project]
    shown = bodies.webhook_project(context.tables, project)
    body = {"action": "START_TRAINING", "project": shown}
    try:
        call(context, backend, "webhook", body, PREDICT_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        logger.info("training failed: %r", error)


def predict_and_store(context: Context, backend: Row, tasks: Sequence[Task]) -> None:
    """Ask a backend about the tasks without a row of its version; keep the answer."""
    update_state(context, backend)
    tables = context.tables
    version = backend.fields["model_version"]
    asked = [
        task
        for task in tasks
        if all(row.model_version != version for row in tables.predictions_of(task.id))
    ]
    if backend.fields["state"] != "CO" or not asked:
        return
    answers = _predict(context, backend, asked)
    for task, answer in zip(asked, answers, strict=False):
        for item in answer if isinstance(answer, list) else [answer]:
            row = Prediction(
                id=tables.new_id(),
                task=task.id,
                project=task.project,
                result=item.get("result"),
                score=item.get("score"),
                model_version=item.get("model_version", version),
            )
            tables.add_prediction(row)
            tables.touch(task)


def _predict(
    context: Context, backend: Row, tasks: Sequence[Task]
) -> list[JsonObject | list[JsonObject]]:
    """Return what a backend says; nothing if it does not answer one for each."""
    project = context.tables.projects[backend.project]
    body = {
        "tasks": [bodies.predict_task(context.tables, task) for task in tasks],
        "project": project_key(project),
        "label_config": project.fields["label_config"],
        "params": {"login": None, "password": None, "context": None},
    }
    try:
        answer = call(context, backend, "predict", body, PREDICT_TIMEOUT_SECONDS)
    except (httpx.HTTPError, ValueError):
        return []
    results = list(answer.get("results", []))
    return results if len(results) == len(tasks) else []


def call(
    context: Context,
    backend: Row,
    path: str,
    body: JsonObject | None,
    timeout: float,
) -> JsonObject:
    """Call an ML backend while others may work; raise if it does not do well."""
    fields = backend.fields
    auth = None
    if fields["auth_method"] == "BASIC_AUTH":
        auth = httpx.BasicAuth(fields["basic_auth_user"], fields["basic_auth_pass"])
    with context.tables.released():
        response = httpx.request(
            "GET" if body is None else "POST",
            f"{fields['url'].rstrip('/')}/{path}",
            json=body,
            auth=auth,
            headers={"User-Agent": ML_AGENT},
            timeout=timeout,
            verify=NO_TLS,
            trust_env=False,
        )
    answer = response.raise_for_status().json()
    return answer if isinstance(answer, dict) else {}


def project_key(project: Project) -> str:
    """Return the name a project has towards ML backends: id and time of creation."""
    created = datetime.fromisoformat(project.created_at)
    return f"{project.id}.{int(created.timestamp())}"
