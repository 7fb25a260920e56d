"""``yishu share``, what comes later: corrections, letters, renewals, recalls, files taken."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from yishu.cli import remote, world
from yishu.cli.output import AsJson, print_table, reported, show
from yishu.cli.share import As, Form, Grant, Reason, Request, done, read_form
from yishu.cli.share_world import acting, open_house

app = typer.Typer()


@app.command()
def edit(request_id: Request, form: Form, account: As, as_json: AsJson = False) -> None:
    """Replace the form of a draft or returned request; the head consents anew."""
    from yishu.sharing import filing  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            far.put(f"/requests/{request_id}", read_form(form).model_dump(mode="json"))
    if far is None:
        with acting(account, as_json) as (desk, actor):
            filing.edit(desk, request_id, read_form(form), actor)
    done(request_id, "changed; next: consent, then submit", as_json)


@app.command()
def renew(grant_id: Grant, form: Form, account: As, as_json: AsJson = False) -> None:
    """Draft a request for a further term of a grant, with the same scope."""
    _draft("renewals", grant_id, form, account, as_json=as_json)


@app.command("change-scope")
def change_scope(grant_id: Grant, form: Form, account: As, as_json: AsJson = False) -> None:
    """Draft a request for another scope of a grant, which serves as before until it is decided."""
    _draft("changes", grant_id, form, account, as_json=as_json)


def _draft(what: str, grant_id: str, form: Path, account: str, *, as_json: bool) -> None:
    from yishu.sharing import filing  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            asked = read_form(form).model_dump(mode="json")
            request_id = str(far.post(f"/grants/{grant_id}/{what}", asked)["request_id"])
    if far is None:
        draft = {"renewals": filing.renew, "changes": filing.change_scope}[what]
        with acting(account, as_json) as (desk, actor):
            request_id = draft(desk, grant_id, read_form(form), actor)
    done(request_id, "drafted; next: consent, then submit", as_json)


@app.command()
def attach(
    request_id: Request,
    file: Annotated[Path, typer.Argument(help="The file: PDF, OFD, PNG or JPEG.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Keep a file with a request, such as the stamped letter.

    Example: yishu share attach SQ00000012 公函.pdf --as zhao@hr
    """
    from yishu.sharing import attachments  # noqa: PLC0415

    with acting(account, as_json) as (desk, actor):
        content = file.read_bytes()
        kept = attachments.attach(desk, request_id, actor, name=file.name, content=content)
    show(asdict(kept), as_json, lambda: print_table("Attached", [asdict(kept)]))


@app.command("attachments")
def list_attachments(
    request_id: Request,
    account: As,
    save: Annotated[Path | None, typer.Option(help="Write them into this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what belongs to a request, or write it into a folder."""
    from yishu.sharing import attachments  # noqa: PLC0415

    with acting(account, as_json) as (desk, actor):
        found = attachments.seen_by(desk, request_id, actor)
        for one in found if save else ():
            _, source = attachments.find(desk, request_id, one.digest, actor)
            shutil.copyfile(source, Path(save or ".") / f"{one.digest[:8]}-{one.name}")
    rows = [asdict(one) for one in found]
    show(rows, as_json, lambda: print_table("Attachments", rows))


@app.command()
def recall(
    object_id: Annotated[str, typer.Argument(help="Entry or subject id.")],
    account: As,
    until: Annotated[int, typer.Option(help="Up to this version of its table.")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Recall what was delivered of an object, and tell everybody who was given it.

    Example: yishu share recall taxation.taxpayer --until 3 --reason 税号有误 --as zhou@cc
    """
    from yishu.sharing.recall import recall as call_back  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            said = {"until_version": until, "reason": reason}
            recalled = far.post(f"/recalls/{object_id}", said)["deliveries"]
    if far is None:
        with acting(account, as_json) as (desk, actor):
            recalled = call_back(desk, object_id, until, reason, actor)
    rows = [{"delivery": one} for one in recalled]
    show(recalled, as_json, lambda: print_table("Recalled", rows))


@app.command("new-token")
def new_token(grant_id: Grant, account: As, as_json: AsJson = False) -> None:
    """Make another token for an open channel; the one before ends at once."""
    from yishu.sharing import opening  # noqa: PLC0415

    with acting(account, as_json) as (desk, actor):
        issued = opening.new_token(desk, grant_id, actor)
    found = {"grant": grant_id, "token": issued.token, "expires_at": issued.expires_at}
    show(found, as_json, lambda: print_table("Token", [found]))


@app.command()
def download(
    grant_id: Grant,
    target: Annotated[Path, typer.Argument(help="Folder to write the file into.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Take the file of a grant for the department that it was granted to; on record.

    Example: yishu share download GT00000013 下载 --as zhao@hr
    """
    from yishu.sharing.handover import take  # noqa: PLC0415

    with reported(as_json):
        house = open_house()
        with house.engine.begin() as connection:
            actor = world.actor(connection, account)
        handed = take(house, grant_id, actor)
        target.mkdir(parents=True, exist_ok=True)
        for source in (handed.file, handed.manifest):
            shutil.copyfile(source, target / source.name)
    done(grant_id, str(target / handed.file.name), as_json)
