"""``yishu share``: a request from filing to an open channel, its deliveries and its use."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.roles import Action, Role
from yishu.cli import remote, world
from yishu.cli.output import AsJson, console, print_records, print_table, reported, show
from yishu.cli.share_world import acting, open_house, take, whoever

if TYPE_CHECKING:
    from yishu.ledger.journal import Actor
    from yishu.sharing.desk import Desk
    from yishu.sharing.errors import Missing
    from yishu.sharing.form import RequestForm

app = typer.Typer(help="Share requests, grants and channels.", no_args_is_help=True)

As = Annotated[
    str,
    typer.Option(
        "--as",
        help="Account that acts, or deputy:account; at a portal the token says who.",
        default_factory=whoever,
        show_default=False,
    ),
]
Request = Annotated[str, typer.Argument(help="Number of the request, e.g. SQ00000012.")]
Grant = Annotated[str, typer.Argument(help="Number of the grant, e.g. GT00000013.")]
Reason = Annotated[str, typer.Option(help="The reason; the other side reads it.")]
Form = Annotated[Path, typer.Argument(help="The form: JSON, or the filled-in XLSX template.")]


@app.command()
def template(
    object_id: Annotated[str, typer.Argument(help="Entry or subject id.")],
    target: Annotated[Path, typer.Argument(help="The XLSX file to write.")],
) -> None:
    """Write an empty request form for an object, with its elements and the choices there are.

    Example: yishu share template market_regulation.enterprise_registration 申请.xlsx
    """
    from yishu.sharing.objects import shared_object  # noqa: PLC0415
    from yishu.sharing.sheet import template as empty  # noqa: PLC0415

    with reported(as_json=False):
        target.write_bytes(empty(shared_object(world.release(world.settings()), object_id)))
    console.print(f"{target}: fill in the second column, then `yishu share file {target}`")


@app.command()
def check(
    form: Form,
    account: As,
    *,
    marked: Annotated[
        Path | None,
        typer.Option(help="Write the filled-in XLSX with all that is missing marked in its cells."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a form lacks, what is there already, and the smallest set of elements.

    Example: yishu share check 申请.xlsx --as zhao@hr --marked 问题.xlsx
    """
    from yishu.sharing import filing  # noqa: PLC0415
    from yishu.sharing.hints import hints  # noqa: PLC0415

    with acting(account, as_json) as (desk, actor):
        asked, parts = _checked(desk, form, marked)
        object_ = filing.object_of(desk, asked)
        told = hints(desk, actor.org, asked.object_id, asked.fields, asked.rows).texts_zh
        findings, smallest = filing.judged(desk, asked) if object_ and not parts else ([], ())
    found = {
        "missing": [asdict(one) for one in parts],
        "hints": told,
        "elements": [asdict(one) for one in findings],
        "smallest": list(smallest),
    }
    show(found, as_json, lambda: _print_check(found))


@app.command("file")
def file_request(form: Form, account: As, as_json: AsJson = False) -> None:
    """Keep a form as a draft; the department's head then consents, and it is submitted.

    Example: yishu share file 申请.xlsx --as zhao@hr
    """
    from yishu.sharing import filing  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            asked = read_form(form).model_dump(mode="json")
            request_id = str(far.post("/requests", asked)["request_id"])
    if far is None:
        with acting(account, as_json) as (desk, actor):
            request_id = filing.draft(desk, read_form(form), actor)
    done(request_id, "drafted; next: consent, then submit", as_json)


@app.command()
def consent(request_id: Request, account: As, as_json: AsJson = False) -> None:
    """The department's head agrees to file a request."""
    from yishu.sharing import filing  # noqa: PLC0415

    take(
        f"requests/{request_id}",
        "consent",
        lambda desk, actor: filing.consent(desk, request_id, actor),
        account=account,
        as_json=as_json,
    )
    done(request_id, "consented", as_json)


@app.command()
def submit(request_id: Request, account: As, as_json: AsJson = False) -> None:
    """Submit a request: one reply names everything that is missing, else the clock runs."""
    from yishu.sharing import filing  # noqa: PLC0415

    take(
        f"requests/{request_id}",
        "submit",
        lambda desk, actor: filing.submit(desk, request_id, actor),
        account=account,
        as_json=as_json,
    )
    done(request_id, "received", as_json)


@app.command("return")
def return_(
    request_id: Request,
    account: As,
    part: Annotated[list[str], typer.Option(help="What is missing; repeat for each part.")],
    as_json: AsJson = False,
) -> None:
    """Send a request back for completion, once, naming everything."""
    from yishu.sharing import filing  # noqa: PLC0415

    def local(desk: "Desk", actor: "Actor") -> None:
        is_authority = actor.role is Role.AUTHORITY_REVIEWER
        action = Action.DECIDE_REQUEST if is_authority else Action.REVIEW_REQUEST
        filing.return_once(desk, request_id, part, actor, action)

    path, reason = f"requests/{request_id}", "\n".join(part)
    take(path, "return", local, account=account, as_json=as_json, reason=reason)
    done(request_id, "returned; its clock is paused", as_json)


@app.command()
def withdraw(request_id: Request, account: As, as_json: AsJson = False) -> None:
    """Take a request back before it is decided."""
    from yishu.sharing import filing  # noqa: PLC0415

    take(
        f"requests/{request_id}",
        "withdraw",
        lambda desk, actor: filing.withdraw(desk, request_id, actor),
        account=account,
        as_json=as_json,
    )
    done(request_id, "withdrawn", as_json)


@app.command()
def grant(
    request_ids: Annotated[list[str], typer.Argument(help="Numbers of the requests.")],
    account: As,
    *,
    strike: Annotated[list[str] | None, typer.Option(help="Element not to grant.")] = None,
    note: Annotated[str, typer.Option(help="A note for the other side.")] = "",
    as_json: AsJson = False,
) -> None:
    """Consent to requests in the seat that is next; the last seat makes the grant.

    Example: yishu share grant SQ00000012 --as li@bd --strike address
    """
    from yishu.sharing import deciding  # noqa: PLC0415

    facts: dict[str, Any] = {"strike": strike or [], "note": note}
    with reported(as_json):
        far = remote.portal()
        if far is not None:
            made = far.post("/requests/batch", {"requests": request_ids, **facts})
    if far is None:
        with acting(account, as_json) as (desk, actor):
            made = deciding.grant_all(desk, request_ids, actor, **facts)
    rows = [
        {"request": one, "grant": id_ or "waits for the next seat"} for one, id_ in made.items()
    ]
    show(made, as_json, lambda: print_table("Decided", rows))


@app.command()
def refuse(
    request_id: Request,
    account: As,
    reason: Reason,
    basis: Annotated[str | None, typer.Option(help="The legal basis.")] = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a request, with the reason."""
    from yishu.sharing import deciding  # noqa: PLC0415

    take(
        f"requests/{request_id}",
        "refuse",
        lambda desk, actor: deciding.refuse(desk, request_id, actor, reason, basis=basis),
        account=account,
        as_json=as_json,
        reason=reason,
        basis=basis,
    )
    done(request_id, "refused", as_json)


@app.command("open")
def open_channel(
    grant_id: Grant,
    account: As,
    *,
    base_url: Annotated[str | None, typer.Option(help="Server's address, for a profile.")] = None,
    profile_file: Annotated[Path | None, typer.Option(help="Write the .share profile.")] = None,
    as_json: AsJson = False,
) -> None:
    """Open the channel of a grant; its token is shown this once.

    Example: yishu share open GT00000013 --as zhou@cc
    """
    from yishu.sharing import opening  # noqa: PLC0415
    from yishu.sharing.profile import profile  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            answer = far.post(f"/grants/{grant_id}/steps", {"step": "open"})
            token, expires_at = answer["token"], answer["expires_at"]
    if far is None:
        with acting(account, as_json) as (desk, actor):
            issued = opening.open_channel(desk, grant_id, actor)
            token, expires_at = issued.token, issued.expires_at
    if base_url and profile_file:
        profile_file.touch(mode=0o600)
        told = profile(base_url, token, expires_at)
        profile_file.write_text(json.dumps(told), "utf-8")
    found = {"grant": grant_id, "token": token, "expires_at": expires_at}
    show(found, as_json, lambda: print_records("Channel", [found], {k: k for k in found}))


@app.command()
def suspend(grant_id: Grant, account: As, reason: Reason, as_json: AsJson = False) -> None:
    """Stop serving a grant for now."""
    _change("suspend", grant_id, account, reason, as_json=as_json)


@app.command()
def resume(grant_id: Grant, account: As, reason: Reason, as_json: AsJson = False) -> None:
    """Serve a suspended grant again."""
    _change("resume", grant_id, account, reason, as_json=as_json)


@app.command()
def close(grant_id: Grant, account: As, reason: Reason, as_json: AsJson = False) -> None:
    """End a channel for good: no call is answered any more, its bytes are deleted."""
    from yishu.sharing.housekeeping import clear  # noqa: PLC0415

    _change("close", grant_id, account, reason, as_json=as_json)
    if remote.portal() is None:
        clear(open_house())


@app.command("list")
def list_all(
    org: Annotated[str | None, typer.Option(help="Requests of this department.")] = None,
    state: Annotated[str | None, typer.Option(help="Requests in this state.")] = None,
    as_json: AsJson = False,
) -> None:
    """List requests, the oldest open one first, with their grants."""
    from yishu.ledger.statements import query  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            rows = far.get("/requests/all", org=org, state=state)
        else:
            with open_house().engine.connect() as connection:
                found = connection.execute(query("share_requests"), {"org": org, "state": state})
                rows = [dict(row._mapping) for row in found]
    show(rows, as_json, lambda: print_table("Share requests", rows))


@app.command()
def timeline(request_id: Request, as_json: AsJson = False) -> None:
    """The timeline of a request that both sides see: steps, clocks, the next step.

    Example: yishu share timeline SQ00000012
    """
    from yishu.governance.working_calendar import calendar_in_force  # noqa: PLC0415
    from yishu.sharing.timeline import timeline as seen  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            found = far.get(f"/requests/{request_id}/timeline")
        else:
            house = open_house()
            with house.engine.begin() as connection:
                days = calendar_in_force(connection, world.settings().catalog_dir / "working_days")
                found = seen(house.desk(connection), request_id, days).plain()
    show(found, as_json, lambda: _print_timeline(found))


def read_form(path: Path) -> "RequestForm":
    """The form in a file: JSON, or the filled-in XLSX template."""
    from yishu.sharing import filing, sheet  # noqa: PLC0415

    if path.suffix.lower() == ".xlsx":
        return sheet.read(path)
    return filing.parse(json.loads(path.read_text("utf-8")), path.name)


def _checked(
    desk: "Desk", path: Path, marked: Path | None
) -> tuple["RequestForm", Sequence["Missing"]]:
    """The form in a file, and all that is missing of it; an XLSX comes back marked, if asked."""
    from yishu.sharing import filing, sheet  # noqa: PLC0415
    from yishu.sharing.form import missing  # noqa: PLC0415

    if path.suffix.lower() != ".xlsx":
        form = read_form(path)
        return form, missing(form, filing.object_of(desk, form), consented=True)
    filled = sheet.fill(path.name, path.read_bytes())
    object_ = filing.object_of(desk, sheet.understood(filled)[0])
    form, parts = sheet.checked(filled, object_)
    if marked and object_:
        marked.write_bytes(sheet.marked(object_, filled, parts))
    return form, parts


def _change(verb: str, grant_id: str, account: str, reason: str, *, as_json: bool) -> None:
    from yishu.sharing import opening  # noqa: PLC0415

    take(
        f"grants/{grant_id}",
        verb,
        lambda desk, actor: getattr(opening, verb)(desk, grant_id, actor, reason),
        account=account,
        as_json=as_json,
        reason=reason,
    )
    done(grant_id, {"suspend": "suspended", "resume": "open", "close": "closed"}[verb], as_json)


def done(number: str, state: str, as_json: bool) -> None:
    """Say what a step made of a request or grant."""
    show({"id": number, "state": state}, as_json, lambda: console.print(f"{number}: {state}"))


def _print_check(found: dict[str, Any]) -> None:
    print_table("Missing or wrong", found["missing"])
    for hint in found["hints"]:
        console.print(hint, markup=False, highlight=False)
    print_table("Elements", found["elements"])
    if found["smallest"]:
        console.print(f"Smallest set for these items: {', '.join(found['smallest'])}")


def _print_timeline(found: dict[str, Any]) -> None:
    print_table("Steps", found["steps"])
    print_table("Clocks", found["dues"])
    told = " · ".join(filter(None, [found["next"], found["next_org"]]))
    console.print(told, markup=False, highlight=False)
