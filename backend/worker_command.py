"""What `dubito worker` does: one worker in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.http_client.client import check_route
from dubito.backend.services import open_services
from dubito.backend.state.embedded import find_store
from dubito.backend.state.store_checks import refuse_unfit
from dubito.backend.supervisor import follow_parent
from dubito.backend.worker.jobs import run_worker

if TYPE_CHECKING:
    from dubito.backend.settings import Settings


def run_one_worker(settings: Settings) -> None:
    """Work until told to stop, or until the supervisor of this process has ended.

    Raises
    ------
    BackendError
        if the store, or the way to Label Studio, cannot be used
    """
    follow_parent()
    check_route(settings.label_studio_url)
    refuse_unfit(find_store(settings))
    with open_services(settings) as services:
        run_worker(services)
