"""The command line."""

from __future__ import annotations

from pathlib import Path

import click

from dubito.backend.command_errors import says_errors
from dubito.backend.cutting.options import CUT_HELP, CutOptions, cut_options
from dubito.backend.listening import check_address, check_exposure, local_url
from dubito.backend.logs import set_up_logs
from dubito.backend.settings import Settings, compute_in_one_thread
from dubito.backend.simulate.options import simulate_options

PATH = click.Path(path_type=Path)
A_PORT = click.IntRange(1, 65535)
EXPORTS = ("predictions", "labels", "model", "report")
FORMATS = ("csv", "json", "label-studio", "label-studio-tasks")
PROJECT_HELP = "Project number in Label Studio."
OPEN_HELP = "Allow access without a password on a non-local address."
FORMAT_HELP = "Format, if the file extension does not imply it."


@click.group(epilog="Example: dubito serve, then: dubito connect --project 1")
@click.version_option(package_name="dubito")
def main() -> None:
    """Show annotators the tasks first that the model is least certain about.

    Dubito is an active-learning backend for Label Studio. Set LABEL_STUDIO_URL and
    LABEL_STUDIO_API_KEY, start Dubito, and connect a project.
    """
    compute_in_one_thread()


@main.command(epilog="Example: dubito serve --port 9090 --workers 2")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=A_PORT, help="Port to listen on.  [default: 9090]")
@click.option("--data-dir", type=PATH, help="Dubito's data.  [default: .dubito]")
@click.option("--workers", type=click.IntRange(1, 256), help="[default: one per core]")
@click.option("--open", "is_open", is_flag=True, help=OPEN_HELP)
@says_errors
def serve(is_open: bool, **options: object) -> None:  # noqa: FBT001  # click's way
    """Start the web server, the workers and the store."""
    from dubito.backend.supervisor import Supervisor

    settings = _settings().having(**options)
    _check_start(settings, is_open=is_open)
    supervisor = Supervisor(settings)
    supervisor.stop_on_signal()
    try:
        supervisor.start()
        click.echo(f"Dubito runs at {local_url(settings)}. Ctrl-C stops it.")
        supervisor.watch()
    finally:
        supervisor.stop()


@main.command(epilog="Example: REDIS_URL=redis://redis:6379 dubito web --host 0.0.0.0")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=A_PORT, help="Port to listen on.  [default: 9090]")
@click.option("--open", "is_open", is_flag=True, help=OPEN_HELP)
@says_errors
def web(is_open: bool, **options: object) -> None:  # noqa: FBT001  # click's way
    """Start only the web server; the store must be running."""
    from dubito.backend.supervisor import follow_parent
    from dubito.backend.web.server import run_web

    settings = _settings().having(**options)
    _check_start(settings, is_open=is_open)
    follow_parent()
    run_web(settings)


@main.command(epilog="Example: REDIS_URL=redis://redis:6379 dubito worker")
@says_errors
def worker() -> None:
    """Start only one worker; the store must be running."""
    from dubito.backend.worker_command import run_one_worker

    run_one_worker(_settings())


@main.command(
    epilog="Example: dubito connect --project 1 --params '{\"preannotate\": true}'"
)
@click.option("--project", type=click.IntRange(1), required=True, help=PROJECT_HELP)
@click.option("--backend-url", help="Dubito's address as Label Studio sees it.")
@click.option("--take-over", is_flag=True, help="Replace another connected Dubito.")
@click.option("--params", help="The project's settings (extra params), as JSON.")
@says_errors
def connect(
    project: int, backend_url: str | None, params: str | None, *, take_over: bool
) -> None:
    """Connect a project, or repair its connection. Running it again is safe."""
    from dubito.backend.connect_command import connect_with, connector_of
    from dubito.backend.progress import progress_bars
    from dubito.backend.services import open_services

    with open_services(_settings()) as services, progress_bars() as show:
        connector = connector_of(services, click.echo, params, take_over=take_over)
        connect_with(connector, project, backend_url, show)


@main.command(epilog="Example: dubito disconnect --project 1")
@click.option("--project", required=True, help=PROJECT_HELP)
@says_errors
def disconnect(project: str) -> None:
    """Remove everything that `dubito connect` added to a project.

    Ctrl-C interrupts; the same command continues.
    """
    from dubito.backend.connect_command import disconnect_project
    from dubito.backend.progress import progress_bars
    from dubito.backend.services import open_services

    with open_services(_settings()) as services, progress_bars() as show:
        disconnect_project(services, project, click.echo, show)


@main.command(epilog="Example: dubito status --project 1 --json")
@click.option("--project", help=f"{PROJECT_HELP}  [default: all]")
@click.option("--question", default="", help="Control to show.  [default: first]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@says_errors
def status(project: str | None, question: str, *, as_json: bool) -> None:
    """Show the state of connected projects."""
    from dubito.backend.services import open_services
    from dubito.backend.status_table import print_status

    with open_services(_settings()) as services:
        print_status(services, project, question, as_json=as_json)


@main.command(epilog="Example: dubito scores --project 1 --now")
@click.option("--project", required=True, help=PROJECT_HELP)
@click.option("--now", "is_now", is_flag=True, help="Write them all in one call, now.")
@says_errors
def scores(project: str, *, is_now: bool) -> None:
    """Wait until every open task has its score in Label Studio.

    With --now Label Studio stores all missing scores in one call, about 20 s for 20,000
    tasks. Meanwhile annotators wait one or two seconds for a task or a submit.
    """
    from dubito.backend.progress import progress_bars
    from dubito.backend.scores_command import wait_for_scores
    from dubito.backend.services import open_services

    with open_services(_settings()) as services, progress_bars() as show:
        wait_for_scores(services, project, click.echo, show, is_now=is_now)


@main.command(epilog="Example: dubito health --worker")
@click.option("--worker", "of_worker", is_flag=True, help="Check the workers instead.")
@says_errors
def health(of_worker: bool) -> None:  # noqa: FBT001  # click's way
    """Check that the web server on this machine works.

    For container health checks: exits with 0 (works) or 1 within a few seconds.
    """
    from dubito.backend.healthcheck import check_web, check_worker

    settings = _settings()
    click.echo(check_worker(settings) if of_worker else check_web(settings))


@main.command(epilog="Example: dubito doctor --project 1")
@click.option("--project", type=click.IntRange(1), help="Project.  [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--live", is_flag=True, help="Make Label Studio send a real event.")
@click.option("--fix", is_flag=True, help="Repair what `dubito connect` can repair.")
@says_errors
def doctor(**options: object) -> None:
    """Check the connection in both directions; report problems and how to fix them.

    Without --fix nothing is changed; --fix does what `dubito connect` does, for one
    project. The check makes Label Studio call Dubito, as Settings → Model does.
    --live saves the project's unchanged settings, so that Label Studio sends an event.

    Exit status: 0 without faults (warnings are allowed), 1 with faults, 2 on misuse.
    """
    from dubito.backend.doctor.command import DoctorOptions, run

    if not run(_settings(), DoctorOptions(**options)):  # type: ignore[arg-type]  # click has checked them
        raise click.exceptions.Exit(1)


@main.command(
    epilog="Example: dubito cut walk*.csv --seconds 2.56 --overlap 0.5 -o tasks.json",
    help=CUT_HELP,
)
@cut_options
@says_errors
def cut(**options: object) -> None:
    """Cut long recordings into windows, as tasks with a label config."""
    from dubito.backend.cutting.command import run

    run(_settings(), CutOptions(**options))  # type: ignore[arg-type]


@main.command(epilog="Example: dubito simulate export.json --config config.xml")
@simulate_options
@says_errors
def simulate(**options: object) -> None:
    """Estimate the labels that Dubito saves on a labelled project.

    FILE is a JSON or JSON-MIN export and needs --config. 30 % of its labelled tasks
    are held out. The rest is labelled again in simulation with Dubito, random sampling
    and margin sampling, --seeds times each. Ctrl-C interrupts; the same command goes
    on.
    """
    from dubito.backend.simulate.command import SimulateOptions, run

    run(_settings(), SimulateOptions(**options))  # type: ignore[arg-type]


@main.command(
    epilog="Example: dubito export --project 1 --what predictions -o predictions.csv"
)
@click.option("--project", required=True, help=PROJECT_HELP)
@click.option("--what", type=click.Choice(EXPORTS), required=True, help="See above.")
@click.option("-o", "--output", type=PATH, required=True, help="File; - for stdout.")
@click.option("--format", type=click.Choice(FORMATS), help=FORMAT_HELP)
@click.option(
    "--question", default="", help="Control of a model or report.  [default: first]"
)
@says_errors
def export(**options: object) -> None:
    """Export labels, predictions, the model or a report.

    The file extension selects the format. Labels: .csv or .json, one row per counted
    annotation. Predictions of the last round for all tasks: .csv, .json, .ls.json (to
    import predictions into this project), or .tasks.json (to import tasks elsewhere).
    Model: .zip (with script and model card) or .skops. Report of the page: .html.

    In CSV, what a spreadsheet would read as a formula starts with an apostrophe.
    """
    from dubito.backend.export.command import ExportOptions, run

    run(_settings(), ExportOptions(**options))  # type: ignore[arg-type]


@main.command(epilog="Example: make demo, which installs Label Studio first")
@click.option("--data-dir", type=PATH, help="The demo's data.  [default: .dubito/demo]")
@click.option("--port", type=A_PORT, help="Dubito's port.  [default: a free one]")
@click.option("--label-studio-port", type=A_PORT, help="Label Studio's port.")
@click.option(
    "--label-studio-venv",
    type=PATH,
    default=".venv-label-studio",
    show_default=True,
    help="Virtual environment in which Label Studio is installed.",
)
@says_errors
def demo(data_dir: Path | None, **options: object) -> None:
    """Start Dubito and Label Studio with a sample project."""
    from rich.console import Console

    from dubito.backend.demo.demo import Demo

    settings = _settings()
    directory = data_dir or settings.data_dir / "demo"
    Demo(
        settings=settings.having(data_dir=directory, host="127.0.0.1"),
        console=Console(),
        **options,  # type: ignore[arg-type]  # click has checked them
    ).run()


def _check_start(settings: Settings, *, is_open: bool) -> None:
    """Refuse to listen where nobody can or may, and to be without Label Studio."""
    from dubito.backend.http_client.client import check_route

    check_address(settings)
    check_exposure(settings, is_open=is_open)
    check_route(settings.label_studio_url)


def _settings() -> Settings:
    settings = Settings.from_process()
    set_up_logs(settings)
    return settings


if __name__ == "__main__":
    main()
