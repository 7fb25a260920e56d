"""``yishu demo``: the example city through Airflow's real scheduler, then a summary."""

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yishu import secrets
from yishu.cli import world
from yishu.cli.output import AsJson, console, errors, print_table, reported, show
from yishu.embedded import reader_password
from yishu.settings import Settings, project_root

if TYPE_CHECKING:
    from yishu.orchestration.demo import DemoResult, World

REST_SERVICE = "city-rest"
_FIRST_PORT = 8090
_ENTRIES = {
    "entry_id": "entry",
    "state": "state",
    "read": "read",
    "published": "published",
    "quarantined": "quarantined",
    "version": "version",
}
_SUBJECTS = {
    "subject_id": "subject",
    "rows": "rows",
    "version": "version",
    "rows_in": "rows in",
    "not_linked": "not linked",
}
_QUALITY = {"dimension": "dimension", "checks": "checks", "failed": "failed", "score": "score"}


def demo(
    size: Annotated[int, typer.Option(min=1_000, help="Legal entities in the city.")] = 50_000,
    port: Annotated[int | None, typer.Option(help="Port of Airflow's UI.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End what runs, keep the data.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="End what runs, remove the data.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the example city, run its pipelines through Airflow, open the portal over it.

    Safe to repeat. Airflow and the portal keep running until `yishu demo --stop`.

    Example: yishu demo --size 10000
    """
    from yishu.cli import demo_portal  # noqa: PLC0415  heavy
    from yishu.orchestration import demo as runner  # noqa: PLC0415
    from yishu.orchestration import services  # noqa: PLC0415
    from yishu.orchestration.terminal import terminal  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        if stop or clean:
            (runner.clean if clean else runner.stop)(here)
            done = "removed" if clean else "stopped"
            show({"state": done}, as_json, lambda: console.print(done))
            return
        # Whoever reads the JSON gets nothing else on standard output.
        with terminal(errors if as_json else console) as screen:
            result = runner.run(
                here,
                lambda city: _build(city, size),
                screen.say,
                show=screen.show,
                port=port,
                portal_url=lambda: demo_portal.address(here, services.processes(here)),
            )
            screen.say("Letting requests, objections and deadlines happen, and opening the portal")
            portal = _open_portal(here, result)
        facts = {**_facts(result), **portal}
    show(facts, as_json, lambda: _print(facts))
    raise typer.Exit(1 if result.failed else 0)


def _open_portal(here: Settings, result: "DemoResult") -> dict[str, Any]:
    from yishu.cli import demo_portal  # noqa: PLC0415
    from yishu.orchestration import demo as runner  # noqa: PLC0415
    from yishu.orchestration import services  # noqa: PLC0415

    began = time.monotonic()
    try:
        told = demo_portal.let_happen(here)
        url = demo_portal.start(here, services.processes(here), result.url)
    except BaseException:
        # Half a demo that keeps running behind an error message would only confuse.
        runner.stop(here)
        raise
    took = time.monotonic() - began
    return {
        "portal": {"url": url, "tour": demo_portal.tour(url)},
        "story": vars(told),
        "seconds": {**result.seconds, "portal": took},
    }


def _build(city: "World", size: int) -> None:
    from example.city import Systems, build, connections  # noqa: PLC0415

    here = city.settings
    folder = here.var_dir / "city"
    password = reader_password(here)
    where = Systems(city.postgres.url(), folder)
    build(
        where,
        size,
        reader_password=password,
        progress=lambda entry, share: city.say(f"  {entry} ({share:.0%})"),
    )
    port = _rest_port(here, city)
    urls = connections(where, f"http://127.0.0.1:{port}", password)
    secrets.write_connections(here.connections_path, urls)


def _rest_port(here: Settings, city: "World") -> int:
    """Start the city's service, on the port of the last time where it is still to be had."""
    from yishu.cli.demo_portal import kept_port  # noqa: PLC0415

    is_running = city.children.find(REST_SERVICE) is not None
    port = kept_port(here, REST_SERVICE, _FIRST_PORT, is_running=is_running)
    if not is_running:
        folder = here.var_dir / "city"
        argv = [sys.executable, "-m", "example.rest_server"]
        argv += ["--folder", str(folder), "--port", str(port)]
        city.children.start(REST_SERVICE, argv, {"PATH": "/usr/bin:/bin"}, project_root())
    return port


def _facts(result: "DemoResult") -> dict[str, Any]:
    from yishu.library.release import release_at  # noqa: PLC0415

    here = world.pipeline()
    summary = here.ledger.summary()
    released = release_at(here.settings.library_dir) if result.released else None
    return {
        "entries": [vars(row) for row in summary.entries],
        "subjects": [vars(row) for row in summary.subjects],
        "quality": [{**vars(row), "score": row.score} for row in summary.quality],
        "failed": [vars(run) for run in result.failed],
        "seconds": dict(result.seconds),
        "airflow": {
            "url": result.url,
            "user": result.user,
            "password_file": str(result.password_file),
        },
        "release": result.release_id,
        "library_release": vars(released) if released else None,
    }


def _print(facts: Mapping[str, Any]) -> None:
    print_table("Entries: what each department's data became", facts["entries"], _ENTRIES)
    print_table("Subject library", facts["subjects"], _SUBJECTS)
    if released := facts["library_release"]:
        tables = len(released["versions"])
        console.print(f"Library release {released['number']}: {tables} subjects, seen together\n")
    print_table("Quality by dimension (GB/T 36344-2018)", facts["quality"], _QUALITY)
    if facts["failed"]:
        print_table("Runs that failed: their logs are in Airflow's UI", facts["failed"])
    steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in facts["seconds"].items())
    airflow = facts["airflow"]
    console.print(f"\ntook {steps}")
    portal = facts["portal"]
    for role in dict.fromkeys(step["role"] for step in portal["tour"]):
        console.print(f"\ntour of the {role}")
        for step in portal["tour"]:
            if step["role"] == role:
                line = f"  {step['account']:<26}{step['page']:<36}{step['see']}"
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print("\ntour of the engineer")
    for command in (
        "yishu quality market_regulation.enterprise_registration",
        "yishu library query legal_entity --where region_code=320213 --limit 5",
        "yishu trace legal_entity",
        "yishu share list",
        "yishu cards list",
    ):
        console.print(f"  .venv/bin/{command}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nPortal        {portal['url']}  invented accounts, no passwords")
    console.print(f"Airflow's UI  {airflow['url']}  user {airflow['user']}", highlight=False)
    console.print(f"  its password is in {airflow['password_file']}", highlight=False)
