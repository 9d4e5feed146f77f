"""Making the model's file in a worker: it takes as long as a round, or longer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from dubito.backend.errors import BackendError
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.logs import about
from dubito.backend.services import SERVICES
from dubito.backend.state.counters import ERRORS
from dubito.backend.state.error_hints import error_hint
from dubito.backend.state.models import LARGEST, KeptModel, ModelFile, ModelStore
from dubito.model.errors import ModelError

if TYPE_CHECKING:
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState

logger = logging.getLogger(__name__)
MEGABYTE = 1_000_000


def make_model(key: str, control: str) -> None:
    """Job: fit a project's model, and keep it as a file for whoever has asked.

    Parameters
    ----------
    control : the question that it answers
    """
    services = SERVICES.get()
    if not services.projects.knows(key):
        return
    with about(key):
        make(services, services.projects.at(key), control)


def make(
    services: Services, state: ProjectState, control: str, largest: int = LARGEST
) -> None:
    """Make the file, and say where it can be seen if it cannot be made.

    Parameters
    ----------
    control : the question that the model answers
    largest : bytes that a file may have
    """
    store = ModelStore.of(state)
    try:
        model = fit_model(services, state, control)
        packed = model.fitted.packed()
        if len(packed) > largest:
            store.fail(too_large(len(packed), state.id), control)
            return
        kept_model = KeptModel(packed=packed, card=card_of(model, state))
        answered = model.snapshot.schema.control
        record = ModelFile(labels=model.labels, basis=model.basis, control=answered)
        store.save(kept_model, record)
        logger.info("project %s: a model of %s bytes", state.key, len(packed))
    except (BackendError, ModelError) as error:
        services.counters.count(ERRORS, type(error).__name__)
        store.fail(str(error), control)
    except RedisError as error:
        logger.warning(
            "project %s: the model cannot be saved: %s", state.key, error_hint(error)
        )
        store.fail(error_hint(error), control)
    except Exception as error:
        services.counters.count(ERRORS, "Unexpected")
        reason = f"unexpected error, see the worker's log: {error!r:.200}"
        store.fail(reason, control)
        raise


def too_large(size: int, project: int) -> str:
    """Say that a file is too large for the store, and what to do."""
    return (
        f"the model has {size // MEGABYTE} MB; the page keeps at most"
        f" {LARGEST // MEGABYTE} MB: run `dubito export --project {project} --what"
        " model -o model.zip`"
    )
