"""``yishu catalog``, the process: compile, assess, submit, review, publish, revoke, look back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import Connection, Engine

from catalog.vocabulary import AssessmentKind, ChangeCause
from yishu.cli import world
from yishu.cli.output import AsJson, console, print_table, reported, show
from yishu.settings import Settings

if TYPE_CHECKING:
    from yishu.governance.candidate import Rules

app = typer.Typer()

As = Annotated[str, typer.Option("--as", help="The account that acts.")]
Entry = Annotated[str, typer.Argument(help="Entry id, e.g. taxation.taxpayer.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; no decision is saved without it.")]


@app.command()
def adopt(account: As, as_json: AsJson = False) -> None:
    """Take the entries of the rule files over into the ledger, once, as published versions.

    Example: yishu catalog adopt --as root
    """
    from catalog.load import load_catalog  # noqa: PLC0415  yaml, only needed here
    from yishu.governance import publication, sources  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        loaded, _ = load_catalog(here.catalog_dir)
        with world.engine(here).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            entries = publication.adopt(connection, loaded, *by)
            claims = sources.adopt(connection, loaded, *by)
    _say("Adopted", {"entries": entries, "sources": claims}, as_json)


@app.command()
def save(
    file: Annotated[Path, typer.Argument(help="The entry as a YAML file.")],
    account: As,
    *,
    cause: Annotated[ChangeCause, typer.Option(help="Why there is a new version.")],
    note: Annotated[str, typer.Option(help="The text or decision behind the cause.")],
    changed_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Day of the change.")],
    edit: Annotated[int | None, typer.Option(help="Edit of the draft that you read.")] = None,
    as_json: AsJson = False,
) -> None:
    """Save an entry as a draft, or as the next edit of its draft.

    Example: yishu catalog save taxpayer.yaml --as li.an --cause law_change --note 新规 --changed-on 2026-11-01
    """  # noqa: E501 - an example is one line
    from catalog.document import read_document  # noqa: PLC0415
    from catalog.faults import CatalogFaults  # noqa: PLC0415
    from yishu.governance import lifecycle  # noqa: PLC0415

    with reported(as_json):
        document = read_document(file.parent, file.name)
        if document.faults:
            raise CatalogFaults.of(str(file), document.faults)
        content = document.data if isinstance(document.data, dict) else {}
        draft = lifecycle.Draft(
            str(content.get("id", "")), content, cause, note, changed_on.date(), edit
        )
        here = world.settings()
        with world.engine(here).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            made = lifecycle.save(connection, draft, *by, profile=here.rule_profile)
    _say("Saved", _facts(made), as_json)


@app.command()
def assess(
    entry: Entry,
    account: As,
    *,
    kind: Annotated[AssessmentKind, typer.Option(help="What is assessed.")],
    verdict: Annotated[str, typer.Option(help="The verdict; a wrong one lists those there are.")],
    basis: Annotated[str, typer.Option(help="On what the verdict rests.")],
    as_json: AsJson = False,
) -> None:
    """Put a confidentiality review, an impact assessment or a head's consent on record.

    Example: yishu catalog assess taxation.taxpayer --as zheng.yi --kind confidentiality --verdict may_be_shared --basis 不涉密
    """  # noqa: E501 - an example is one line
    from yishu.governance import assessment  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        said = assessment.Judgement(kind, verdict, basis)
        made = assessment.assess(connection, entry, said, *by)
    _say("Assessed", asdict(made), as_json)


@app.command()
def submit(entry: Entry, account: As, as_json: AsJson = False) -> None:
    """Hand a draft to the data authority; refused with every fault at once.

    Example: yishu catalog submit taxation.taxpayer --as li.an
    """
    from yishu.governance import lifecycle  # noqa: PLC0415

    with _acting(as_json) as (connection, rules):
        by = (world.actor(connection, account), world.clock())
        made = lifecycle.submit(connection, rules, entry, *by)
    _say("Submitted", _facts(made), as_json)


@app.command()
def review(
    entry: Entry,
    account: As,
    opinion: Annotated[str, typer.Option(help="What the reviewer says.")],
    approve: Annotated[bool, typer.Option("--approve/--return", help="The decision.")],
    as_json: AsJson = False,
) -> None:
    """Approve a submitted version, or return it once with everything that is wrong.

    Example: yishu catalog review taxation.taxpayer --as zheng.yi --approve --opinion 符合要求
    """
    from yishu.governance import lifecycle  # noqa: PLC0415

    with _acting(as_json) as (connection, rules):
        by = (world.actor(connection, account), world.clock())
        if approve:
            made = lifecycle.approve(connection, entry, opinion, *by)
        else:
            made = lifecycle.send_back(connection, entry, opinion, *by, rules=rules)
    _say("Reviewed", _facts(made), as_json)


@app.command()
def publish(
    entries: Annotated[list[str], typer.Argument(help="Entry ids; all of them or none.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Put approved versions in force and write the release that has them.

    Example: yishu catalog publish taxation.taxpayer --as zheng.yi
    """
    from yishu.governance import publication  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        place = publication.Place(world.engine(here), here, _announce)
        rules = world.rules(here)
        with place.engine.connect() as connection:
            actor = world.actor(connection, account)
        done = publication.publish(place, rules, tuple(entries), actor, world.clock())
    _say("Published", _released(done), as_json)


@app.command()
def revoke(entry: Entry, account: As, reason: Reason, as_json: AsJson = False) -> None:
    """Withdraw a published entry: its DAG goes, its data are kept as long as it promised.

    Example: yishu catalog revoke taxation.taxpayer --as zheng.yi --reason 职能划转
    """
    from yishu.governance import publication  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        place = publication.Place(world.engine(here), here, _announce)
        rules = world.rules(here)
        with place.engine.connect() as connection:
            actor = world.actor(connection, account)
        done = publication.revoke(place, rules, entry, reason, actor=actor, at=world.clock())
    _say("Revoked", _released(done), as_json)


@app.command()
def diff(
    entry: Entry,
    before: Annotated[int, typer.Argument(help="The earlier version.")],
    after: Annotated[int, typer.Argument(help="The later version.")],
    as_json: AsJson = False,
) -> None:
    """Tell the difference of two versions in a clerk's words.

    Example: yishu catalog diff taxation.taxpayer 1 2
    """
    from yishu.governance import versions  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        changes = versions.diff(connection, entry, before, after)
    rows = [asdict(change) for change in changes]
    show(rows, as_json, lambda: _print_changes(changes))


@app.command("as-of")
def as_of(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A day, its end counts.")],
    entry: Annotated[str | None, typer.Option(help="One entry, with its content.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the whole catalog, or one entry of it, as it was published on a day.

    Example: yishu catalog as-of 2026-06-30
    """
    from yishu.governance import versions  # noqa: PLC0415

    at = _end_of(day.date())
    with reported(as_json), world.engine(world.settings()).connect() as connection:
        if entry is not None:
            one = versions.entry_as_of(connection, entry, at)
            rows = [] if one is None else [_facts(one) | {"content": one.content}]
        else:
            rows = [asdict(one) for one in versions.as_of(connection, at)]
    shown = {"entry_id": "id", "version": "version", "name": "名称", "published_at": "published"}
    show(rows, as_json, lambda: print_table(f"Catalog on {day:%F}", rows, shown))


@app.command()
def history(entry: Entry, as_json: AsJson = False) -> None:
    """List every version of an entry, newest first, with its cause.

    Example: yishu catalog history taxation.taxpayer
    """
    from yishu.governance import versions  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [_facts(one) for one in versions.history(connection, entry)]
    show(rows, as_json, lambda: print_table(entry, rows))


@app.command()
def inbox(as_json: AsJson = False) -> None:
    """List what waits for the data authority, oldest submission first.

    Example: yishu catalog inbox
    """
    from yishu.governance import versions  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in versions.inbox(connection)]
    shown = {"entry_id": "id", "version": "version", "state": "state", "submitted_at": "since"}
    show(rows, as_json, lambda: print_table("Inbox", rows, shown))


@app.command()
def recheck(account: As, as_json: AsJson = False) -> None:
    """Check every published entry against the compilation rules of today; list those that fail.

    Example: yishu catalog recheck --as zheng.yi
    """
    from yishu.governance import recheck as governed  # noqa: PLC0415

    with _acting(as_json) as (connection, rules):
        by = (world.actor(connection, account), world.clock())
        found = governed.recheck(connection, rules.ruleset, *by)
    rows = [
        {"entry_id": one.entry_id, "version": one.version, **remark}
        for one in found
        for remark in one.remarks
    ]
    show(rows, as_json, lambda: print_table(f"Rules v{rules.ruleset.version}", rows))


@app.command("compare-site")
def compare_site(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or YAML.")],
    as_json: AsJson = False,
) -> None:
    """Compare the catalog that a site shows with the release in force; 1 when it differs.

    The file has `entry_id` and `digest`, as `yishu catalog feed --json` gives them.

    Example: yishu catalog compare-site district.csv
    """
    from yishu.governance import mirrors  # noqa: PLC0415
    from yishu.interchange import records  # noqa: PLC0415

    with reported(as_json):
        shown = records.read(file.name, file.read_bytes(), ("entry_id", "digest"))
        by_entry = {str(one["entry_id"]): str(one["digest"]) for one in shown}
        source = mirrors.feed(world.release(world.settings()))
    found = mirrors.site_drift(source, by_entry)
    rows = [{"drift": kind, "entry_id": id_} for kind, ids in asdict(found).items() for id_ in ids]
    show(asdict(found), as_json, lambda: print_table("Drift", rows))
    if found:
        raise typer.Exit(1)


@app.command()
def feed(as_json: AsJson = False) -> None:
    """What sites copy: the digest of every entry of the release in force.

    Example: yishu catalog feed --json
    """
    from yishu.governance import mirrors  # noqa: PLC0415

    with reported(as_json):
        source = mirrors.feed(world.release(world.settings()))
    rows = [{"entry_id": id_, "digest": digest} for id_, digest in source.entries.items()]
    show(rows, as_json, lambda: print_table(source.version, rows))


@contextmanager
def _acting(as_json: bool) -> Iterator[tuple[Connection, "Rules"]]:
    """One transaction on the ledger, and the rules of today."""
    here = world.settings()
    with reported(as_json):
        rules = world.rules(here)
        with world.engine(here).begin() as connection:
            yield connection, rules


def write_release(here: Settings, engine: Engine) -> dict[str, Any]:
    """Write the release of what the ledger has published."""
    from yishu.governance import publication  # noqa: PLC0415

    place = publication.Place(engine, here, _announce)
    return _released(publication.write(place, world.rules(here), world.clock()))


def _announce(settings: Settings) -> bool:
    from yishu.orchestration.services import announce_release  # noqa: PLC0415

    return announce_release(settings)


def _end_of(day: date) -> datetime:
    from yishu.clocks import BEIJING  # noqa: PLC0415

    return datetime.combine(day, time.max, BEIJING)


def _released(done: Any) -> dict[str, Any]:
    release = done.release
    return {
        "id": release.id,
        "entries": len(release.entries),
        "subjects": len(release.subjects),
        "versions": [f"{one.entry_id} {one.version} {one.state.value}" for one in done.versions],
        "announced": done.announced,
    }


def _facts(version: Any) -> dict[str, Any]:
    return {
        "entry_id": version.entry_id,
        "version": version.version,
        "state": version.state.value,
        "cause": version.cause.label_zh,
        "changed_on": version.changed_on,
        "edit": version.edit,
        "published_at": version.published_at,
        "ended_at": version.ended_at,
    }


def _print_changes(changes: Any) -> None:
    for change in changes:
        console.print(change.text_zh, markup=False, highlight=False)
    console.print(f"{len(changes)} changes")


def _say(title: str, facts: Mapping[str, Any], as_json: bool) -> None:
    show(dict(facts), as_json, lambda: print_table(title, [facts]))
