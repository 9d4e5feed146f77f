"""The sample as a project of Label Studio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.demo import sample
from dubito.backend.labelstudio.responses import answer, read
from dubito.backend.records import ApiRecord

if TYPE_CHECKING:
    import httpx

    from dubito.backend.labelstudio.client import LabelStudioClient

PATIENCE = 120.0


class Made(ApiRecord):
    """The number of something Label Studio has just made."""

    id: int


class Uploads(ApiRecord):
    """The numbers of the files Label Studio has just been sent."""

    file_upload_ids: list[int]


def make_project(client: LabelStudioClient) -> int:
    """Make the sample project; return its number."""
    body = {"title": sample.TITLE, "label_config": sample.label_config()}
    request = client.http.build_request("POST", "/api/projects/", json=body)
    return read(Made, _sent(client, request)).id


def upload_recordings(client: LabelStudioClient, project: int) -> int:
    """Make one task of each recording; return how many.

    Posted to the import directly, the rows of a file would become tasks.
    """
    files = {
        name: (name, content, "text/csv")
        for name, content in sample.recordings().items()
    }
    path = f"/api/projects/{project}/import?commit_to_project=false"
    request = client.http.build_request("POST", path, files=files, timeout=PATIENCE)
    uploads = read(Uploads, _sent(client, request)).file_upload_ids
    body = {"file_upload_ids": uploads, "files_as_tasks_list": False}
    path = f"/api/projects/{project}/reimport"
    request = client.http.build_request("POST", path, json=body, timeout=PATIENCE)
    _sent(client, request)
    return len(files)


def _sent(client: LabelStudioClient, request: httpx.Request) -> object:
    """Send a request that only the demo makes; return the JSON of the answer."""
    return answer(f"{request.method} {request.url.path}", client.access.send(request))
