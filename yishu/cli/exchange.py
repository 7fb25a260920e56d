"""``yishu catalog`` and files: templates, exports in every form, imports as drafts."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from catalog.vocabulary import ChangeCause
from yishu.cli import world
from yishu.cli.output import AsJson, console, print_table, reported, show

Given = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file.")]
Written = Annotated[Path, typer.Argument(dir_okay=False, help="The file; its ending is its form.")]


def template(file: Written, as_json: AsJson = False) -> None:
    """Write the empty workbook, with drop-downs and notes.

    Example: yishu catalog template 目录模板.xlsx
    """
    from yishu.interchange import workbook  # noqa: PLC0415

    with reported(as_json):
        file.write_bytes(workbook.export([]))
    show({"file": str(file)}, as_json, lambda: console.print(f"{file}: written"))


def export(
    file: Written,
    *,
    entry: Annotated[list[str] | None, typer.Option(help="One entry; may repeat.")] = None,
    base: Annotated[
        str, typer.Option(help="Address of the site that names the entries; DCAT needs it.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write the catalog in force as .xlsx, .csv, .yaml, .ttl or .jsonld; tell what is left out.

    Example: yishu catalog export catalog.ttl --base https://data.example.gov.cn
    """
    from yishu.interchange import files  # noqa: PLC0415

    with reported(as_json):
        form = file.suffix.lower().removeprefix(".")
        if form not in files.FORMS:
            raise typer.BadParameter(f"{file.name}: a file that ends in one of {files.FORMS}")
        if form in files.FOREIGN and not base:
            raise typer.BadParameter(
                "name the site whose addresses DCAT gives", param_hint="--base"
            )
        release = world.release(world.settings())
        chosen = [release.entry(one) for one in entry or release.entries]
        left_out = files.left_out(chosen, form)
        file.write_bytes(files.written(chosen, release, form, base))
    rows = [{"key": key, "entries": number} for key, number in left_out.items()]
    facts = {"file": str(file), "entries": len(chosen), "left_out": left_out}
    show(facts, as_json, lambda: print_table(f"{len(chosen)} entries; left out", rows))


def bring_in(
    file: Given,
    account: Annotated[str, typer.Option("--as", help="The account that acts.")],
    *,
    cause: Annotated[ChangeCause, typer.Option(help="Why there are new versions.")],
    note: Annotated[str, typer.Option(help="The text or decision behind the cause.")],
    dry_run: Annotated[bool, typer.Option(help="Check alone; save nothing.")] = False,
    errors: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where the workbook with the faults goes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take all entries of a file in as drafts, or none of them; 1 when a cell is faulty.

    Example: yishu catalog import 目录.xlsx --as li.an --cause element_change --note 三定方案 --errors 错误.xlsx
    """  # noqa: E501 - an example is one line
    from yishu.governance import taking_in  # noqa: PLC0415
    from yishu.interchange import files, reading, workbook  # noqa: PLC0415
    from yishu.interchange.errors import FileFaulty  # noqa: PLC0415

    here, data = world.settings(), file.read_bytes()
    with reported(as_json):
        faults_of = taking_in.faults_by(world.rules(here), world.today())
        try:
            found = files.brought(file.name, data, faults_of)
        except FileFaulty as fault:
            if errors is not None:
                rows = reading.read(file.name, data).rows
                errors.write_bytes(workbook.with_errors(rows, fault.faults))
            raise
        given = [(one.entry_id, one.content) for one in found.drafts]
        why = taking_in.Why(cause, note, world.today())
        with world.engine(here).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            if not dry_run:
                taking_in.take_in(connection, given, why, *by, profile=here.rule_profile)
    ids = [entry_id for entry_id, _ in given]
    facts = {"entries": ids, "saved": not dry_run, "not_taken": list(found.not_taken)}
    show(facts, as_json, lambda: print_table("Drafts", [{"entry_id": one} for one in ids]))


COMMANDS: dict[str, Callable[..., None]] = {
    "template": template,
    "export": export,
    "import": bring_in,
}
