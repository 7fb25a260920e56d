"""``yishu services``: guides, cases, packages and lists of the city held against each other."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.roles import Action
from yishu.cli import world
from yishu.cli.lifecycle import As
from yishu.cli.output import AsJson, asked, console, print_table, reported, show
from yishu.governance.permission import require
from yishu.ledger.journal import Act, append

if TYPE_CHECKING:
    from yishu.library.services import Checked

app = typer.Typer(
    help="Services as a whole: guides, forms, cases, packages, lists.", no_args_is_help=True
)

_SHOWN = 50
_GUIDE = ("handling_item_code",)
_NOTICE = ("case_no", "implementation_code", "material_name")
_HEADINGS = {
    "rule": "规则",
    "item": "编码",
    "case_no": "办件编号",
    "element": "要素",
    "found": "实际",
    "expected": "应为",
    "text_zh": "说明",
}


@app.command()
def check(
    *,
    rule: Annotated[
        list[str] | None, typer.Option(help="Only this rule; repeat it. Default: all.")
    ] = None,
    forms: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of form files.")
    ] = None,
    window: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The windows' guides: CSV or YAML."),
    ] = None,
    notices: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Supplement notices: CSV or YAML."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Also write all findings; .xlsx.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check published guides, forms, cases, packages and lists against each other.

    A rule without its tables or its file is not carried out, and says so. The windows' guides have
    `handling_item_code` and the elements to compare; a notice has `case_no`,
    `implementation_code` and `material_name`.

    Example: yishu services check --forms hall/forms --window hall/window_guides.csv
    """
    from yishu.library.services import ServiceRule, Services, check_services  # noqa: PLC0415  heavy

    with reported(as_json):
        rules = _rules(rule, ServiceRule)
        given = Services(
            world.settings().library_dir, forms, _read(window, _GUIDE), _read(notices, _NOTICE)
        )
        found = check_services(given, rules)
        rows = [asdict(one) for one in found.findings]
        if to is not None:
            _write(to, rows)
    result = {
        "counts": {name: sum(one["rule"] == name for one in rows) for name in rules},
        "unchecked": found.unchecked,
        "findings": rows,
        "forms": [asdict(one) for one in found.forms],
    }
    show(result, as_json, lambda: _print(found, rows))


def _rules(asked_for: list[str] | None, every: Any) -> list[Any]:
    try:
        return [every(name) for name in asked_for] if asked_for else list(every)
    except ValueError:
        known = ", ".join(every)
        raise typer.BadParameter(f"a rule is one of {known}", param_hint="--rule") from None


def _read(path: Path | None, required: tuple[str, ...]) -> tuple[dict[str, Any], ...] | None:
    from yishu.interchange import records  # noqa: PLC0415

    if path is None:
        return None
    found = records.read(path.name, path.read_bytes(), required)
    if required == _GUIDE:
        # Of a guide that is there twice nobody knows which one the window shows.
        records.keyed(path.name, found, *_GUIDE)
    return tuple(found)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    from yishu.pipeline.sheets import write_xlsx  # noqa: PLC0415  heavy
    from yishu.pipeline.store import whole_file  # noqa: PLC0415  heavy

    if path.suffix.lower() != ".xlsx":
        raise typer.BadParameter("name a file that ends in .xlsx", param_hint="--to")
    cells = ([str(one[key] or "") for key in _HEADINGS] for one in rows)
    with whole_file(path) as partial:
        write_xlsx(partial, list(_HEADINGS.values()), cells, name="政务服务核查")


def _print(found: "Checked", rows: list[dict[str, Any]]) -> None:
    for rule, reason in found.unchecked.items():
        text = f"not checked: {rule.value} ({rule.label_zh}): {reason}"
        console.print(text, markup=False, highlight=False)
    print_table(f"Findings, {min(_SHOWN, len(rows))} of {len(rows):,}", rows[:_SHOWN], _HEADINGS)


@app.command()
def earlier(
    case: Annotated[str, typer.Argument(help="The case for which they are looked up.")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """List materials that an applicant handed in before and that still hold (一号申办).

    The applicant's identity number is asked for, or read from standard input, so that it is in no
    list of commands. The look-up goes on record under the case, without the number.

    Example: yishu services earlier 11320200MB1530000U4320101001000202611200001 --as he.ping
    """
    from yishu.library.demands import earlier_materials  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        with world.engine(here).begin() as connection:
            actor = world.actor(connection, as_)
            require(actor, Action.VIEW_PERSONAL, case, actor.org)
            act = Act(actor, Action.VIEW_PERSONAL, "earlier_materials", case, world.clock())
            append(connection, act)
        found = earlier_materials(here.library_dir, asked("applicant_id_no"), world.today())
    rows = found.to_pylist()
    show(rows, as_json, lambda: print_table("Earlier materials", rows))


@app.command("case")
def show_case(
    number: Annotated[str, typer.Argument(metavar="CASE", help="Case number.")],
    as_json: AsJson = False,
) -> None:
    """Show acceptance, progress and result of a case; nothing of its applicant.

    A step that may not follow the one before is marked as refused; the case did not move by it.

    Example: yishu services case 11320200MB1530000U4320101001000202611200001
    """
    from yishu.library.case_file import case_file  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        found = case_file(here.library_dir, world.release(here), number)
    moves = [
        {"step": one.step.label_zh, "started_at": one.started_at, "refused": not one.is_legal}
        for one in found.moves
    ]
    facts = {**asdict(found), "stage": found.stage.label_zh, "moves": moves}
    top = [{name: value for name, value in facts.items() if name != "moves"}]

    def tables() -> None:
        print_table(number, top)
        print_table("Steps", moves)

    show(facts, as_json, tables)
