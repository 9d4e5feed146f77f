"""What tests of single parts share."""

import pytest
from flask.testing import FlaskClient

from backend.services import Services
from backend.state.project import ProjectState
from backend.web.app import create_app
from tests.builders import KEY, project


@pytest.fixture
def http(services: Services) -> FlaskClient:
    """Speak to the application without a server."""
    return create_app(services).test_client()


@pytest.fixture
def state(services: Services) -> ProjectState:
    """Look after a project whose settings are known."""
    services.projects.add(KEY)
    found = services.projects.at(KEY)
    found.note(project=project())
    return found
