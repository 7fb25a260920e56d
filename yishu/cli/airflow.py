"""``yishu airflow ...``: Airflow of this installation, with its database, DAGs and secrets."""

from typing import Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, console, errors, print_table, reported, show

app = typer.Typer(no_args_is_help=True, help="Airflow: start, stop, look, or any of its commands.")
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command()
def start(
    port: Annotated[int | None, typer.Option(help="Port of Airflow's UI and API.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start what does not run yet, in the background, and wait until all of it is ready.

    Example: yishu airflow start --port 8080
    """
    from yishu.orchestration import services  # noqa: PLC0415  `yishu --help` answers at once
    from yishu.orchestration.environment import USER, password_file  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        world.release(here)  # without one no DAG is built
        world.engine(here).dispose()  # the ledger is brought up to date before tasks need it
        with errors.status("Starting Airflow") as status:
            url = services.start(
                here, services.airflow_url(here), port=port, progress=status.update
            )
    facts = {"url": url, "user": USER, "password_file": str(password_file(here))}
    show(facts, as_json, lambda: _print_started(facts))


def _print_started(facts: dict[str, Any]) -> None:
    console.print(f"Airflow's UI is at {facts['url']}, user {facts['user']}", highlight=False)
    console.print(f"  its password is in {facts['password_file']}", highlight=False)


@app.command()
def stop(as_json: AsJson = False) -> None:
    """Stop Airflow and every task it runs; the next start runs them again.

    Example: yishu airflow stop
    """
    from yishu.orchestration import services  # noqa: PLC0415

    with reported(as_json):
        ended = services.stop(world.settings())
    told = f"stopped: {', '.join(ended)}" if ended else "nothing was running"
    show({"stopped": ended}, as_json, lambda: console.print(told))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Tell which processes of Airflow run, and where their logs are; exit code 1 if one does not.

    Example: yishu airflow status
    """
    from yishu.orchestration import services  # noqa: PLC0415

    with reported(as_json):
        found = services.status(world.settings())
    rows = [{"process": one.name, "pid": one.pid, "log": str(one.log)} for one in found]
    show(rows, as_json, lambda: print_table("Airflow", rows))
    raise typer.Exit(0 if all(one.pid for one in found) else 1)


@app.command(context_settings=_PASSED_ON)
def run(context: typer.Context) -> None:
    """Become one command of Airflow, in the foreground: for a service manager, or to look.

    Example: yishu airflow run scheduler
    """
    from yishu.orchestration import services  # noqa: PLC0415

    with reported(as_json=False):
        services.run_command(world.settings(), context.args)
