"""What `/openapi.json` says is so, whatever is sent: held to it by schemathesis."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import (
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from dubito.backend.services import Services
from dubito.backend.web.app import STATUS, create_app
from dubito.backend.web.openapi import EXAMPLES, REFUSALS, description
from tests.builders import KEY, annotation, project
from tests.service.stand import Stand
from tests.store import services_over, store_client

DESCRIBED = json.loads(json.dumps(description()))
EXAMPLES_EACH = 20
UNFIT: list[CheckFunction] = [
    negative_data_rejection,  # numbers may be strings, and what is not read is free
    positive_data_acceptance,  # a project that is not connected is a 404
    missing_required_header,  # on loopback nothing needs to be shown
]


@pytest.fixture(scope="module")
def served(store_url: str) -> Iterator[Services]:
    """Look after one project that has a label and tasks."""
    with store_client(store_url) as redis:
        redis.flushall()  # another test may have left the store of a newer version
    with services_over(store_url) as services:
        services.projects.add(KEY)
        state = services.projects.at(KEY)
        state.note(project=project())
        state.annotations.save([annotation(1)])
        yield services


@pytest.fixture(scope="module")
def api(served: Services) -> OpenApiSchema:
    """Read the description as any caller would."""
    return schemathesis.openapi.from_wsgi("/openapi.json", create_app(served))


def operations() -> set[tuple[str, str]]:
    return {
        (path, method)
        for path, entry in DESCRIBED["paths"].items()
        for method in entry
        if method != "parameters"
    }


OPERATIONS = sorted(operations())
TAKING = [
    (path, method)
    for path, method in OPERATIONS
    if "requestBody" in DESCRIBED["paths"][path][method]
]


def check(api: OpenApiSchema, path: str, method: str, mode: GenerationMode) -> None:
    """Send some requests, the same each time, and look at each answer."""
    cases = api[path][method.upper()].as_strategy(generation_mode=mode)

    @settings(
        derandomize=True,
        database=None,
        max_examples=EXAMPLES_EACH,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def every_answer_is_as_described(case: Case[Any]) -> None:
        case.call_and_validate(excluded_checks=UNFIT)

    every_answer_is_as_described()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_is_as_described_gets_an_answer_as_described(
    api: OpenApiSchema, path: str, method: str
) -> None:
    check(api, path, method, GenerationMode.POSITIVE)


@pytest.mark.parametrize(("path", "method"), TAKING)
def test_what_is_otherwise_gets_an_answer_as_described(
    api: OpenApiSchema, path: str, method: str
) -> None:
    """No 5xx, no status, header, type or body of which nothing was said."""
    check(api, path, method, GenerationMode.NEGATIVE)


@pytest.mark.parametrize("labels", [0, 8])
def test_a_project_stands_as_described(bench: Stand, labels: int) -> None:
    rows = bench.labelled_rows(labels=labels)
    api = schemathesis.openapi.from_wsgi("/openapi.json", create_app(bench.services))

    for path, method in [("/api/projects/{name}", "GET"), ("/metrics", "GET")]:
        named = {"name": str(rows.project)} if "{" in path else {}
        case = api[path][method].Case(path_parameters=named)
        response = case.call_and_validate(excluded_checks=UNFIT)
        assert response.status_code == 200


def test_every_refusal_of_ours_is_described() -> None:
    refused = {str(int(status)) for status in STATUS.values()}

    assert refused <= REFUSALS.keys()


def test_the_description_is_valid_openapi() -> None:
    validate(DESCRIBED, cls=OpenAPIV31SpecValidator)


def test_every_endpoint_is_described_with_its_methods(served: Services) -> None:
    methods = {
        (re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in create_app(served).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(OPERATIONS) == methods


@pytest.mark.parametrize(
    ("path", "name"),
    [("/setup", "Setup"), ("/predict", "PredictRequest"), ("/webhook", "Event")],
)
def test_each_example_is_taken(served: Services, path: str, name: str) -> None:
    response = create_app(served).test_client().post(path, json=EXAMPLES[name])

    assert response.status_code == 200
