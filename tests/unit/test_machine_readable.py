"""What machines read of us: metrics and the description of the endpoints."""

import re

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from dubito.backend.services import Services
from dubito.backend.state.project import ProjectState
from dubito.backend.web.app import create_app
from dubito.backend.web.openapi import description
from tests.builders import KEY

PATHS = description()["paths"]
DESCRIBED = set(PATHS) if isinstance(PATHS, dict) else set()


def test_every_endpoint_is_described_and_no_other(services: Services) -> None:
    rules = create_app(services).url_map.iter_rules()
    served = {re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule) for rule in rules}

    assert served == DESCRIBED


def test_metrics_tell_how_each_project_stands(
    http: FlaskClient, state: ProjectState, services: Services
) -> None:
    state.work.request()
    services.projects.count_event("ANNOTATION_CREATED")

    metrics = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(http.get("/metrics").text)
        for sample in family.samples
    }

    assert metrics["dubito_events_pending", KEY] == 1
    assert metrics["dubito_events_total", "ANNOTATION_CREATED"] == 1
    assert metrics["dubito_rounds_total", KEY] == 0
