"""Everything that can go wrong, said in one sentence for the person who reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class BackendError(Exception):
    """The root of Dubito's own errors: its text is meant for people."""


class SettingsError(BackendError):
    """A setting of the environment or the command line cannot be used."""


class StoreUnavailableError(BackendError):
    """Redis cannot be reached, or refuses to write."""


class UnfitStoreError(StoreUnavailableError):
    """The store is of a kind, or set up in a way, that Dubito cannot use."""


class NewerStateError(BackendError):
    """What the store holds was written by a newer Dubito."""

    def __init__(self, store_format: int, own_format: int) -> None:
        super().__init__(
            f"a newer Dubito wrote the store (format {store_format}; this version reads"
            f" up to {own_format}); nothing was changed: start the newer version, or"
            " give this version its own store (REDIS_URL, or MODEL_DIR)"
        )


class MalformedRequestError(BackendError):
    """A request is not what its endpoint takes."""


class NotNowError(BackendError):
    """What was asked for cannot be done as things stand."""


class UnknownProjectError(BackendError):
    """Nothing is known of this project."""

    def __init__(self, project: str) -> None:
        number = project.partition(".")[0]  # of a full key, too
        number = number if re.fullmatch("[1-9][0-9]*", number) else "ID"
        super().__init__(
            f"project {project} is not connected: run `dubito connect --project"
            f" {number}` or add Dubito in its Settings → Model"
        )


class UnknownQuestionError(BackendError):
    """A project does not learn the question that is asked about."""


class UnknownTaskError(BackendError):
    """Nothing is known of this task."""

    def __init__(self, task: int) -> None:
        super().__init__(
            f"the project has no task {task}, or the task was created a moment ago"
        )


class NotReadyError(BackendError):
    """What is asked for is not there yet; it may be later."""


class NoSuchExportError(BackendError):
    """Nothing can be taken away under this name."""


class ModelFileError(BackendError):
    """A model cannot be kept in a file, or read from one."""


class ItemsError(BackendError):
    """There are no items that a model could be asked about."""


class OutputError(BackendError):
    """A file cannot be written as it was asked for."""


class AccessDeniedError(BackendError):
    """The caller did not show the credentials that were set."""


class ForeignPageError(BackendError):
    """A web page of somebody else's has made a browser call us."""


class LeaseLostError(BackendError):
    """Another worker has taken this project over; what we hold is stale."""


class SchemaError(BackendError):
    """The label config has nothing Dubito can learn."""


class ProjectSettingsError(BackendError):
    """The extra parameters of the ML backend hold something unusable."""


class ExportError(BackendError):
    """A labelled export cannot be simulated."""


class CutError(BackendError):
    """A recording cannot be cut into windows as asked."""


class FileUnavailableError(BackendError):
    """A task's file could not be had now; asking again may help."""


class LabelStudioError(BackendError):
    """Label Studio did not do what it was asked."""


class LabelStudioMissingError(LabelStudioError):
    """There is no Label Studio to start."""


class LabelStudioAwayError(LabelStudioError):
    """Label Studio does not answer, or answers that it cannot now."""


class LabelStudioFailedError(LabelStudioAwayError):
    """Label Studio answered with status 500: something went wrong inside it."""


class LabelStudioRefusedError(LabelStudioError):
    """Label Studio answered with a 4xx status.

    Attributes
    ----------
    status : the HTTP status
    detail : Label Studio's own words
    """

    def __init__(self, request: str, status: int, detail: str) -> None:
        super().__init__(f"Label Studio refused {request} with {status}: {detail}")
        self.status = status
        self.detail = detail


class KeyRefusedError(LabelStudioError):
    """The key to Label Studio is missing, wrong or expired."""


class ProjectGoneError(LabelStudioError):
    """There is no such project in Label Studio, or no longer."""

    def __init__(self, project: int) -> None:
        super().__init__(
            f"there is no project {project}, or the owner of the API key has no access"
            " to it"
        )


class OtherDubitoError(LabelStudioError):
    """Another Dubito is connected to a project, and is not to be replaced."""

    def __init__(self, project: int, addresses: Sequence[str]) -> None:
        where = ", ".join(addresses)
        super().__init__(
            f"another Dubito at {where} is connected to project {project}, so nothing"
            f" was changed: run `dubito disconnect --project {project}` on that Dubito"
            " first. If it no longer runs, or to replace it, run `dubito connect"
            f" --project {project} --take-over` here: this removes the ML backend,"
            " webhook and tab of the other Dubito, which then pauses"
        )
        self.addresses = tuple(addresses)


class NotAllUndoneError(LabelStudioError):
    """Something that was made in a project could not be undone."""

    def __init__(self, count: int, project: int) -> None:
        what = "one step" if count == 1 else f"{count} steps"
        super().__init__(
            f"{what} could not be undone (see above): undo this by hand, then run"
            f" `dubito disconnect --project {project}` again; until then the project"
            " stays connected and paused"
        )
