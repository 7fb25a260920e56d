"""How the command line shows things: a table for people, JSON for programs, errors in one shape."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from catalog.errors import YishuError
from yishu.cli.trouble import DATABASE_ERRORS, unreachable
from yishu.settings import Settings

console = Console()
errors = Console(stderr=True)

_WIDEST = 8
"""Columns that a table may have; wider rows are shown one below the other."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def print_json(value: object) -> None:
    """Print one JSON document, Chinese as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")


def print_table(
    title: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str] | None = None
) -> None:
    """Print rows as a table; ``columns`` gives keys and headings (default: the first row's)."""
    if not rows:
        console.print(f"{title}: nothing to show")
        return
    headings = columns or {key: key for key in rows[0]}
    if len(headings) > _WIDEST:
        print_records(title, rows, headings)
        return
    table = Table(title=title, title_justify="left")
    for key, heading in headings.items():
        numeric = all(isinstance(row.get(key), int | float | None) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(key)) for key in headings))
    console.print(table)


def print_records(
    title: str, rows: Sequence[Mapping[str, Any]], headings: Mapping[str, str]
) -> None:
    """Print rows one below the other, a line a column: for long texts and for many columns."""
    if not rows:
        console.print(f"{title}: nothing to show")
        return
    width = max(map(len, headings.values()))
    for number, row in enumerate(rows, 1):
        console.print(f"[bold]{title}, row {number} of {len(rows)}[/bold]")
        for key, heading in headings.items():
            text = f"  {heading:<{width}}  {cell(row.get(key))}"
            console.print(text, markup=False, highlight=False)


def cell(value: object) -> str:
    """A value as a table's cell shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.2%}"
    return str(value)


@contextmanager
def reported(as_json: bool) -> Iterator[None]:
    """Turn an error on purpose into its four parts on stderr and exit code 1.

    A database that does not answer is nothing unexpected either.
    """
    try:
        yield
    except YishuError as error:
        _print_error(error, as_json)
        raise typer.Exit(1) from error
    except DATABASE_ERRORS as error:
        _print_error(unreachable(error, Settings()), as_json)
        raise typer.Exit(1) from None


def _print_error(error: YishuError, as_json: bool) -> None:
    parts = {
        "code": error.code,
        "object": error.obj,
        "found": error.found,
        "expected": error.expected,
        "remedy": error.remedy,
    }
    if as_json:
        print_json({"error": parts})
        return
    for name, text in parts.items():
        errors.print(f"[bold]{name:>9}[/bold]  ", end="")
        errors.print(text, markup=False, highlight=False)


def show(value: object, as_json: bool, render: Callable[[], None]) -> None:
    """Print ``value`` as JSON, or let ``render`` show it to a person."""
    if as_json:
        print_json(value)
    else:
        render()


def listed(values: Iterable[object]) -> str:
    """Values in one line."""
    return ", ".join(str(value) for value in values)


def asked(field: str) -> str:
    """A value that stands in no list of commands: asked for unseen, or a line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(field, hide_input=True))
    return sys.stdin.readline().strip()
