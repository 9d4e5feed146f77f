"""The command line."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click
import orjson
from redis.exceptions import RedisError

from backend.errors import BackendError
from backend.logs import set_up_logs
from backend.settings import Settings, check_exposure, compute_in_one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
PATH = click.Path(path_type=Path)
EXPORTS = ("predictions", "labels", "model", "report")
FORMATS = ("csv", "json", "label-studio", "label-studio-tasks")


def _says_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn errors into one sentence; people get no traceback."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BackendError as error:
            raise click.ClickException(str(error)) from error
        except RedisError as error:
            message = f"the store cannot be used: {error}"
            raise click.ClickException(message) from error

    return wrapped


@click.group(epilog="Example: dubito serve, then: dubito connect --project 1")
@click.version_option(package_name="dubito")
def main() -> None:
    """Ask people to label first what the model is least sure of.

    Dubito is an active-learning backend for Label Studio. Set LABEL_STUDIO_URL and
    LABEL_STUDIO_API_KEY, start it, and connect a project.
    """
    compute_in_one_thread()


@main.command(epilog="Example: dubito serve --port 9090 --workers 2")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: 9090]")
@click.option("--data-dir", type=PATH, help="[default: .dubito]")
@click.option("--workers", type=click.IntRange(1, 256), help="[default: one a core]")
@click.option("--open", "is_open", is_flag=True, help="Serve a network unguarded.")
@_says_errors
def serve(is_open: bool, **chosen: object) -> None:  # noqa: FBT001  # click's way
    """Start everything on this machine: web server, workers and store."""
    from backend.supervisor import Supervisor, local_url

    data_dir = chosen.get("data_dir")
    if isinstance(data_dir, Path):
        chosen["data_dir"] = data_dir.expanduser().absolute()
    settings = _settings().having(**chosen)
    check_exposure(settings, is_open=is_open)
    supervisor = Supervisor(settings)
    supervisor.stop_on_signal()
    try:
        supervisor.start()
        click.echo(f"Dubito answers at {local_url(settings)}; Ctrl-C stops it.")
        supervisor.watch()
    finally:
        supervisor.stop()


@main.command(epilog="Example: REDIS_URL=redis://redis:6379 dubito web --host 0.0.0.0")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: 9090]")
@click.option("--open", "is_open", is_flag=True, help="Serve a network unguarded.")
@_says_errors
def web(is_open: bool, **chosen: object) -> None:  # noqa: FBT001  # click's way
    """Start the web server alone, over a store that runs."""
    from backend.supervisor import follow_parent
    from backend.web.server import run_web

    settings = _settings().having(**chosen)
    check_exposure(settings, is_open=is_open)
    follow_parent()
    run_web(settings)


@main.command(epilog="Example: REDIS_URL=redis://redis:6379 dubito worker")
@_says_errors
def worker() -> None:
    """Start one worker alone, over a store that runs."""
    from backend.learning.worker import run_worker
    from backend.services import open_services
    from backend.supervisor import follow_parent

    follow_parent()
    with open_services(_settings()) as services:
        run_worker(services)


@main.command(epilog="Example: dubito connect --project 1")
@click.option("--project", type=int, required=True, help="Its number in Label Studio.")
@click.option("--backend-url", help="Dubito's address as Label Studio sees it.")
@_says_errors
def connect(project: int, backend_url: str | None) -> None:
    """Connect a project, or repair its connection; safe to repeat."""
    from backend.commands import connect_project
    from backend.progress import progress_bars
    from backend.services import open_services

    with open_services(_settings()) as services, progress_bars() as show:
        connect_project(services, project, backend_url, click.echo, show)


@main.command(epilog="Example: dubito disconnect --project 1")
@click.option("--project", required=True, help="Its number in Label Studio.")
@_says_errors
def disconnect(project: str) -> None:
    """Remove what connect made, and leave the project as it was found.

    Ctrl-C stops; the same command goes on from there.
    """
    from backend.commands import disconnect_project
    from backend.progress import progress_bars
    from backend.services import open_services

    with open_services(_settings()) as services, progress_bars() as show:
        disconnect_project(services, project, click.echo, show)


@main.command(epilog="Example: dubito status --project 1 --json")
@click.option("--project", help="Its number in Label Studio; all if not given.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@_says_errors
def status(project: str | None, as_json: bool) -> None:  # noqa: FBT001  # click's way
    """Say how projects stand."""
    from backend.commands import status_table
    from backend.learning.status import describe
    from backend.services import open_services

    with open_services(_settings()) as services:
        keys = services.projects.known()
        states = [services.projects.at(key) for key in keys]
        chosen = states if project is None else [services.projects.find(project)]
        found = [describe(state, services) for state in chosen]
    if as_json:
        shown = found if project is None else found[0]
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        status_table(found)


@main.command(epilog="Example: dubito health --worker")
@click.option("--worker", "of_worker", is_flag=True, help="Ask for a worker instead.")
@_says_errors
def health(of_worker: bool) -> None:  # noqa: FBT001  # click's way
    """Say whether this machine's web server is well; fail if not.

    For the health checks of containers: ends with 0 or 1 in a few seconds.
    """
    from backend.probe import check_web, check_worker

    settings = _settings()
    click.echo(check_worker(settings) if of_worker else check_web(settings))


@main.command(epilog="Example: dubito doctor --project 1")
@click.option("--project", type=click.IntRange(1), help="Its number; all if not given.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--live", is_flag=True, help="Let Label Studio send a real event.")
@click.option("--fix", is_flag=True, help="Put right what `dubito connect` can.")
@_says_errors
def doctor(**chosen: object) -> None:
    """Look whether all is well, both ways; say what is not, and what cures it.

    Nothing is changed without --fix, which does what `dubito connect` does, for one
    project. Label Studio is made to call Dubito as opening Settings → Model does.
    --live saves the project's settings without any change, so that an event is sent.

    Ends with 0 if nothing stops the work (warnings do not), 1 if something does, and
    2 if the command was typed wrong.
    """
    from backend.doctor.command import Wishes, run

    if not run(_settings(), Wishes(**chosen)):  # type: ignore[arg-type]  # click has checked them
        raise click.exceptions.Exit(1)


@main.command(epilog="Example: dubito simulate export.json -o curves.png")
@click.argument("file", type=PATH, required=False)
@click.option("--project", type=int, help="A project of Label Studio, not a FILE.")
@click.option("--config", type=PATH, help="Its label config.")
@click.option("--files", type=PATH, help="Where its tasks' files lie.")
@click.option("--budget", type=click.IntRange(2, 100_000), help="Labels to give.")
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option("--learner", default="auto", show_default=True)
@click.option("--strategy", default="margin", show_default=True)
@click.option("--group", default="", help="Data key of what is kept back together.")
@click.option("-o", "--output", type=PATH, help="A .png or .svg to draw.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@_says_errors
def simulate(**chosen: object) -> None:
    """Replay a labelled project: how many labels it would have needed.

    FILE is a JSON or JSON-MIN export of Label Studio. Of its labelled tasks 30 % are
    kept back to judge by; the rest is asked for anew: as Dubito would, in random
    order, and by plain margin sampling. --strategy is how Dubito measures certainty.
    Ctrl-C stops; the same command goes on from there.
    """
    from backend.replay.command import Wishes, run

    run(_settings(), Wishes(**chosen))  # type: ignore[arg-type]  # click has checked them


@main.command(
    epilog="Example: dubito export --project 1 --what predictions -o predictions.csv"
)
@click.option("--project", required=True, help="Its number in Label Studio.")
@click.option("--what", type=click.Choice(EXPORTS), required=True)
@click.option("-o", "--output", type=PATH, required=True, help="The file; - prints it.")
@click.option("--format", type=click.Choice(FORMATS), help="If its ending says none.")
@_says_errors
def export(**chosen: object) -> None:
    """Take away labels, predictions, the model, or the page as a report.

    The ending says how it is written. Labels: .csv or .json, a line for each annotation
    that counts. Predictions of the last round for all tasks: .csv, .json, .ls.json for
    Label Studio's import of predictions into this project, or .tasks.json for the
    import of tasks into another one. The model: .zip, with a script that uses it and
    its model card, or .skops alone. The report: .html, which needs no network.

    What a spreadsheet would take for a formula has an apostrophe before it in CSV; JSON
    has it as it is. The file is written whole, or not at all.
    """
    from backend.takeaway.command import Wishes, run

    run(_settings(), Wishes(**chosen))  # type: ignore[arg-type]  # click has checked them


@main.command(epilog="Example: make demo, which installs Label Studio first")
@click.option("--data-dir", type=PATH, help="[default: .dubito/demo]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Dubito's; else a free one."
)
@click.option(
    "--label-studio-port", type=click.IntRange(1, 65535), help="Its; likewise."
)
@click.option(
    "--label-studio-venv",
    type=PATH,
    default=".venv-label-studio",
    show_default=True,
    help="The virtual environment Label Studio is installed in.",
)
@_says_errors
def demo(data_dir: Path | None, **chosen: object) -> None:
    """Start everything and a Label Studio with a sample project, to try it out."""
    from rich.console import Console

    from backend.demo import Demo

    settings = _settings()
    directory = (data_dir or settings.data_dir / "demo").expanduser().absolute()
    Demo(
        settings=settings.having(data_dir=directory, host="127.0.0.1"),
        console=Console(),
        **chosen,  # type: ignore[arg-type]  # click has checked them
    ).run()


def _settings() -> Settings:
    settings = Settings.from_process()
    set_up_logs(settings)
    return settings


if __name__ == "__main__":
    main()
