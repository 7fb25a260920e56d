"""``yishu register``: which entry is the source of what, disputes, responsibilities and gaps."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from catalog.scope import describe
from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show

app = typer.Typer(help="The source register: one datum, one source.", no_args_is_help=True)

_DAY = ["%Y-%m-%d"]

As = Annotated[str, typer.Option("--as", help="The account that acts.")]
Element = Annotated[str, typer.Argument(help="Data element, e.g. legal_entity.name.")]
Entry = Annotated[str, typer.Argument(help="The entry that claims to be its source.")]
Scope = Annotated[str | None, typer.Option(help="`registrar=5,9`; without it: everything.")]
Number = Annotated[int, typer.Argument(help="Number of the dispute.")]


@app.command("list")
def list_(
    element: Annotated[str | None, typer.Argument(help="One element; without it: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the sources of today, with the decision that made each so.

    Example: yishu register list legal_entity.name
    """
    from yishu.governance import sources  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        found = sources.register_of(connection, world.today(), element)
    rows = [{**asdict(one), "scope": describe(one.scope)} for one in found]
    show(rows, as_json, lambda: print_table("Sources", rows))


@app.command()
def claim(
    element: Element,
    entry: Entry,
    *,
    since: Annotated[datetime, typer.Option(formats=_DAY, help="First day.")],
    decision: Annotated[str, typer.Option(help="What makes it so.")],
    account: As,
    scope: Scope = None,
    as_json: AsJson = False,
) -> None:
    """Register an entry as the source of an element; an overlap is refused, naming the first.

    Example: yishu register claim legal_entity.name taxation.taxpayer --scope registrar=3 --since 2026-12-01 --decision 纪要 --as li.an
    """  # noqa: E501 - an example is one line
    from yishu.governance import sources  # noqa: PLC0415

    wanted = sources.Claim(element, entry, _scope(scope), since.date(), decision)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        made = sources.claim(connection, wanted, *by)
    _say("Registered", {**asdict(made), "scope": describe(made.scope)}, as_json)


@app.command()
def dispute(
    element: Element,
    entry: Entry,
    *,
    since: Annotated[datetime, typer.Option(formats=_DAY, help="First day that is claimed.")],
    due: Annotated[datetime, typer.Option(formats=_DAY, help="Deadline of the consultation.")],
    grounds: Annotated[str, typer.Option(help="Why the first claim should not stand.")],
    account: As,
    scope: Scope = None,
    as_json: AsJson = False,
) -> None:
    """Dispute the claim that stands against one's own (Decree 809 Art.28).

    Example: yishu register dispute legal_entity.name taxation.taxpayer --scope registrar=9 --since 2026-12-01 --due 2026-12-10 --grounds 更新更早 --as li.an
    """  # noqa: E501 - an example is one line
    from yishu.governance import disputes, sources  # noqa: PLC0415

    wanted = sources.Claim(element, entry, _scope(scope), since.date(), grounds)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        made = disputes.open_dispute(connection, wanted, due.date(), *by)
    _say("Dispute", asdict(made), as_json)


@app.command()
def escalate(
    number: Number,
    *,
    due: Annotated[datetime, typer.Option(formats=_DAY, help="Deadline of the next stage.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Pass a dispute on: to the authority, then to the common superior.

    Example: yishu register escalate 1 --due 2026-12-20 --as li.an
    """
    from yishu.governance import disputes  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        made = disputes.escalate(connection, number, due.date(), *by)
    _say("Dispute", asdict(made), as_json)


@app.command()
def decide(
    number: Number,
    *,
    winner: Annotated[str, typer.Option(help="The entry that is the source.")],
    since: Annotated[datetime, typer.Option(formats=_DAY, help="First day.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Decide a dispute; the source moves on that day, and the pipeline obeys.

    Example: yishu register decide 1 --winner taxation.taxpayer --since 2026-12-01 --reason 依据 --as zheng.yi
    """  # noqa: E501 - an example is one line
    from yishu.governance import disputes  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        registers = world.rules(here).registers
        with world.engine(here).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            one = disputes.find(connection, number)
            element = registers.elements.get(one.element_id)
            codes = registers.code_lists.get((element and element.scope_list) or "")
            listed = tuple(codes.codes) if codes else ()
            ruling = disputes.Ruling(winner, since.date(), reason, listed)
            made = disputes.decide(connection, number, ruling, *by)
    _say("Decided", asdict(made), as_json)


@app.command()
def disputes(as_json: AsJson = False) -> None:
    """List undecided disputes, those with the nearest deadline first.

    Example: yishu register disputes
    """
    from yishu.governance import disputes as governed  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in governed.listed(connection)]
    show(rows, as_json, lambda: print_table("Disputes", rows))


@app.command()
def responsibilities(
    org: Annotated[str | None, typer.Argument(help="One body; without it: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what a department answers for (数据责任清单).

    Example: yishu register responsibilities taxation
    """
    from yishu.governance import sources  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), world.engine(here).connect() as connection:
        registers = world.rules(here).registers
        found = sources.responsibilities(connection, registers, world.today(), org)
    rows = [asdict(one) for one in found]
    show(rows, as_json, lambda: print_table("Responsibilities", rows))


@app.command()
def gaps(as_json: AsJson = False) -> None:
    """List for which data nobody is the source.

    Example: yishu register gaps
    """
    from yishu.governance import sources  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), world.engine(here).connect() as connection:
        found = sources.gaps(
            world.rules(here).registers, sources.register_of(connection, world.today())
        )
    rows = [{**asdict(one), "codes": ", ".join(one.codes)} for one in found]
    show(rows, as_json, lambda: print_table("Gaps", rows))


def _scope(text: str | None) -> Any:
    from catalog.model import Scope as Model  # noqa: PLC0415

    if text is None:
        return None
    by, given, values = text.partition("=")
    if not (by and given and values):
        raise typer.BadParameter(f"found `{text}`; expected `discriminator=value,value`")
    return Model(by=by, values=tuple(values.split(",")))


def _say(title: str, facts: dict[str, Any], as_json: bool) -> None:
    show(facts, as_json, lambda: print_table(title, [facts]))
