"""``yishu clocks``: time limits as they run, and what people ask of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import Connection

from catalog.promise import ClockCause
from catalog.vocabulary import ChangeCause
from yishu.cli import remote, world
from yishu.cli.calendar import warn_of_missing_year
from yishu.cli.lifecycle import As, Reason
from yishu.cli.output import AsJson, console, print_table, reported, show
from yishu.cli.share_world import AsThere

if TYPE_CHECKING:
    from yishu.governance.clock_rules import ClockRules
    from yishu.governance.promises import Standing

app = typer.Typer(help="Clocks: promises in working days, kept and seen.", no_args_is_help=True)

ClockId = Annotated[str, typer.Argument(metavar="CLOCK", help="Clock id.")]
Org = Annotated[str | None, typer.Option("--org", help="Only of this department.")]
PromiseName = Annotated[str | None, typer.Option("--promise", help="Only of this promise.")]
Cause = Annotated[ClockCause, typer.Option("--cause", help="A cause that the promise lists.")]

_COLUMNS = {
    "due": "due",
    "remaining": "days left",
    "state": "state",
    "promise_name": "promise",
    "object_id": "object",
    "holder": "held by",
    "earlier_elsewhere": "elsewhere",
    "clock_id": "clock",
}


@app.command("list")
def list_(
    org: Org = None,
    promise: PromiseName = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    xlsx: Annotated[Path | None, typer.Option(help="Write a workbook instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """List clocks, the earliest last day first; a provisional day is marked.

    Example: yishu clocks list --org taxation --xlsx clocks.xlsx
    """
    from yishu.governance import board as boards  # noqa: PLC0415

    with reported(as_json):
        # A portal tells the clocks that run; a workbook of all is made where they are.
        far = None if everything or xlsx else remote.portal()
        if far is not None:
            rows = far.pages("/clocks", org=org, promise=promise)
        else:
            with opened() as (connection, rules):
                lines = boards.board(
                    connection,
                    rules,
                    world.clock(),
                    org=org,
                    promise=promise,
                    with_ended=everything,
                )
                if xlsx is not None:
                    _write_workbook(xlsx, lines, rules)
                    return
            rows = [{**asdict(line), "due": line.due_text} for line in lines]
    show(rows, as_json, lambda: print_table("Clocks", rows, _COLUMNS))


@app.command()
def board(as_json: AsJson = False) -> None:
    """Count clocks by department and colour, the latest first.

    Example: yishu clocks board
    """
    from yishu.clocks import ClockState  # noqa: PLC0415
    from yishu.governance import board as boards  # noqa: PLC0415

    with reported(as_json), opened() as (connection, rules):
        lines = boards.board(connection, rules, world.clock())
        warn_of_missing_year(connection.engine, world.settings())
    counts: dict[str, Counter[ClockState]] = {}
    for line in lines:
        counts.setdefault(line.holder, Counter())[line.state] += 1
    colours = (ClockState.RED, ClockState.YELLOW, ClockState.GREEN, ClockState.PAUSED)
    order = sorted(counts, key=lambda org: ([-counts[org][colour] for colour in colours], org))
    rows = [
        {"held by": org, **{colour.value: counts[org][colour] for colour in colours}}
        for org in order
    ]
    show(rows, as_json, lambda: print_table("Clocks by who holds the file", rows))


@app.command("show")
def show_(clock: ClockId, as_json: AsJson = False) -> None:
    """Show one clock: how it stands, its promise, its course, and who had it how long.

    Example: yishu clocks show clk-0123456789abcdef0123
    """
    from yishu.clocks import legs  # noqa: PLC0415
    from yishu.governance.clock_care import standing  # noqa: PLC0415

    now = world.clock()
    with reported(as_json), opened() as (connection, rules):
        found = standing(connection, clock, rules, now)
        parts = [asdict(leg) for leg in legs(found.promise, found.row.events, rules.calendar, now)]
    events = [{k: v for k, v in asdict(event).items() if v} for event in found.row.events]
    plain = {"clock": _plain(_line(found, rules)), "events": events, "legs": parts}
    show(plain, as_json, lambda: _print_clock(plain))


@app.command()
def extend(
    clock: ClockId,
    account: AsThere,
    reason: Reason,
    *,
    days: Annotated[int, typer.Option("--days", min=1, help="Working days more.")],
    cause: Cause = ClockCause.SPECIAL_REASON,
    requester: Annotated[str | None, typer.Option(help="Department that is told.")] = None,
    as_json: AsJson = False,
) -> None:
    """Consent to an extension: before the last day, for a listed cause, no longer than allowed.

    Example: yishu clocks extend clk-0123 --days 5 --as zhou.ping --reason 系统升级
    """
    from yishu.governance.clock_care import Extension, extend  # noqa: PLC0415

    asked = Extension(days, cause, reason, requester)
    with reported(as_json):
        line = _there(clock, "extend", cause=cause, reason=reason, days=days, requester=requester)
        if line is None:
            with _acting(account) as (connection, rules, act):
                line = _line(extend(connection, clock, asked, rules, **act), rules)
    _said(line, as_json)


@app.command()
def pause(
    clock: ClockId, cause: Cause, account: AsThere, reason: Reason, as_json: AsJson = False
) -> None:
    """Let a clock stand still for a listed cause; a pause that lasts too long ends by itself.

    Example: yishu clocks pause clk-0123 --cause dispute_pending --as zhou.ping --reason 争议
    """
    from yishu.governance.clock_care import pause  # noqa: PLC0415

    with reported(as_json):
        line = _there(clock, "pause", cause=cause, reason=reason)
        if line is None:
            with _acting(account) as (connection, rules, act):
                line = _line(pause(connection, clock, cause, reason, rules, **act), rules)
    _said(line, as_json)


@app.command()
def resume(clock: ClockId, account: AsThere, as_json: AsJson = False) -> None:
    """Let a paused clock run on.

    Example: yishu clocks resume clk-0123 --as zhou.ping
    """
    from yishu.governance.clock_care import resume  # noqa: PLC0415

    with reported(as_json):
        line = _there(clock, "resume")
        if line is None:
            with _acting(account) as (connection, rules, act):
                line = _line(resume(connection, clock, rules, **act), rules)
    _said(line, as_json)


@app.command()
def reassign(
    old: Annotated[str, typer.Argument(help="Body that was merged away.")],
    new: Annotated[str, typer.Argument(help="Its successor.")],
    account: As,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Hand the open clocks of a body to its successor; their last days stay.

    Example: yishu clocks reassign old_bureau new_bureau --as zhou.ping --reason 机构改革
    """
    from yishu.governance.clock_care import reassign  # noqa: PLC0415

    with reported(as_json), _acting(account) as (connection, _, act):
        ids = reassign(connection, old, new, reason, **act)
    show(list(ids), as_json, lambda: console.print(f"{len(ids)} clocks handed over"))


@app.command("report-change")
def report_change(
    cause: Annotated[ChangeCause, typer.Argument(help="What kind of change.")],
    account: As,
    reason: Reason,
    *,
    changed_on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Its day.")],
    entry: Annotated[list[str] | None, typer.Option(help="Entry concerned; may repeat.")] = None,
    org: Annotated[str | None, typer.Option(help="All entries of this department.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register a change of elements, function or law: the catalog's clock starts for each entry.

    Example: yishu clocks report-change law_change --org taxation --on 2026-11-20 --as a --reason b
    """
    from yishu.governance.catalog_clock import Declared, on_change  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), _acting(account) as (connection, _, act):
        release = world.release(here)
        chosen = [release.entry(one) for one in entry or ()]
        chosen += [one for one in release.entries.values() if org and one.provider_org == org]
        of = {one.id: one.provider_org for one in chosen}
        ids = on_change(
            connection,
            Declared(of, cause, changed_on.date(), reason),
            here.rule_profile,
            **act,
        )
    show(ids, as_json, lambda: console.print(f"{len(ids)} clocks run"))


@app.command("no-change")
def no_change(clock: ClockId, account: As, reason: Reason, as_json: AsJson = False) -> None:
    """Accept, as the data authority, that the catalog needs no change: the clock ends.

    Example: yishu clocks no-change clk-0123 --as zhou.ping --reason 技术字段
    """
    from yishu.governance.catalog_clock import accept_no_change  # noqa: PLC0415
    from yishu.governance.clock_care import standing  # noqa: PLC0415

    with reported(as_json), _acting(account) as (connection, rules, act):
        accept_no_change(connection, clock, reason, **act)
        found = standing(connection, clock, rules, act["now"])
    _said(_line(found, rules), as_json)


@app.command("propose-no-change")
def propose(clock: ClockId, account: As, reason: Reason, as_json: AsJson = False) -> None:
    """Say, as the department, why the catalog needs no change: the authority holds the file.

    Example: yishu clocks propose-no-change clk-0123 --as li.an --reason 技术字段
    """
    from yishu.governance.catalog_clock import propose_no_change  # noqa: PLC0415
    from yishu.governance.clock_care import standing  # noqa: PLC0415

    with reported(as_json), _acting(account) as (connection, rules, act):
        propose_no_change(connection, clock, reason, **act)
        found = standing(connection, clock, rules, act["now"])
    _said(_line(found, rules), as_json)


@app.command("sweep")
def sweep_(
    quiet: Annotated[bool, typer.Option(help="Cards only, no reminders.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sweep all clocks now, and every day that was missed: cards, orders, reminders.

    Airflow does the same every morning and every hour; doing it again makes nothing twice.

    Example: yishu clocks sweep
    """
    from yishu.governance.supervise import supervise  # noqa: PLC0415
    from yishu.pipeline.cases import cases_of  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        release = world.release(here)
        done = supervise(
            world.engine(here),
            release,
            here,
            world.clock(),
            cases=partial(cases_of, here.library_dir, release),
            reminds=not quiet,
        )
    facts = {
        **asdict(done.swept),
        "cases": done.cases.cases,
        "cases_supervised": done.cases.supervised,
        "cases_whose_end_nobody_reports": dict(done.cases.blind),
        "stale": len(done.watched.stale),
        "missing_year": done.missing_year,
    }
    show(facts, as_json, lambda: print_table("Swept", [facts]))


@app.command()
def freshness(as_json: AsJson = False) -> None:
    """Show which entries are older than their update cycle, and how long records take to be seen.

    Example: yishu clocks freshness
    """
    from yishu.governance.freshness import delays, fresh_states  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), world.engine(here).connect() as connection:
        entries = world.release(here).entries
        states = fresh_states(connection, entries, world.clock())
        slow = {one.entry_id: one for one in delays(connection, entries)}
    rows = [
        {
            "entry": one.entry_id,
            "state": one.state.value,
            "pulled_at": one.pulled_at,
            "fresh_until": one.limit_at,
            "delay": str(slow[one.entry_id].delay) if one.entry_id in slow else None,
            "by_the_source's_stamp": slow[one.entry_id].is_measured
            if one.entry_id in slow
            else None,
        }
        for one in states
    ]
    show(rows, as_json, lambda: print_table("Freshness and delay", rows))


@contextmanager
def opened() -> Iterator[tuple[Connection, "ClockRules"]]:
    """A transaction on the ledger, and the rules in force."""
    from yishu.governance.working_calendar import rules_in_force  # noqa: PLC0415

    here = world.settings()
    release = world.release(here)
    with world.engine(here).begin() as connection:
        yield connection, rules_in_force(connection, release, here)


def _there(clock: str, step: str, **said: object) -> dict[str, Any] | None:
    """How a clock stands after a step that a portal took; None: there is no portal to ask."""
    far = remote.portal()
    return None if far is None else far.post(f"/clocks/{clock}/steps", {"step": step, **said})


@contextmanager
def _acting(account: str) -> Iterator[tuple[Connection, "ClockRules", dict[str, Any]]]:
    with opened() as (connection, rules):
        now = world.clock()
        yield connection, rules, {"actor": world.actor(connection, account), "now": now}


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the board as one clock is shown."""
    shown = {
        "clock": "clock_id", "promise": "promise_name", "basis": "basis",
        "is_local_choice": "is_local_choice", "object": "object_id", "department": "department",
        "held by": "holder", "state": "state", "due": "due_on", "is_provisional": "is_provisional",
        "days left": "remaining", "elsewhere": "earlier_elsewhere",
    }  # fmt: skip
    return {title: line[name] for title, name in shown.items()}


def _line(found: "Standing", rules: "ClockRules") -> dict[str, Any]:
    from yishu.governance.board import lines  # noqa: PLC0415

    return asdict(lines([found], rules)[0])


def _said(line: Mapping[str, Any], as_json: bool) -> None:
    plain = _plain(line)
    show(plain, as_json, lambda: print_table("Clock", [plain]))


def _print_clock(plain: dict[str, Any]) -> None:
    print_table("Clock", [plain["clock"]])
    print_table("Course", plain["events"], {"at": "at", "kind": "what", "note": "note"})
    print_table("Legs", plain["legs"])


def _write_workbook(path: Path, lines: Any, rules: "ClockRules") -> None:
    from yishu.governance.board import HEADINGS, cells  # noqa: PLC0415
    from yishu.pipeline.sheets import write_xlsx  # noqa: PLC0415

    number = write_xlsx(path, HEADINGS, cells(lines, rules.departments), name="计时看板")
    console.print(f"{number} clocks written to {path}")
