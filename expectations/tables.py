"""Checks over two tables: the other table comes in as the paths of its files."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from expectations.kinds import CheckKind
from expectations.plan import Check
from expectations.verdict import CheckResult, no_positions, result_of

FilesOf = Callable[[str], Sequence[str] | None]
"""The Parquet files of a published table, by entry id; None: nothing was published yet."""


def with_tables(
    checks: Sequence[Check], files_of: FilesOf
) -> tuple[tuple[Check, ...], tuple[CheckResult, ...]]:
    """Checks that can be carried out, and results of those that cannot, since a table is missing.

    What cannot be judged counts no row: it is seen in the verdict, and neither passes nor fails.
    """
    ready: list[Check] = []
    unjudged: list[CheckResult] = []
    for check in checks:
        if check.kind is not CheckKind.EXISTS or check.args.get("files"):
            ready.append(check)
        elif all(found := [files_of(table) for table in check.args["tables"]]):
            files = tuple(file for files in found for file in files or ())
            ready.append(replace(check, args={**_own(check), "files": files}))
        else:
            unjudged.append(result_of(check, counted=0, failed=0, positions=no_positions()))
    return tuple(ready), tuple(unjudged)


def _own(check: Check) -> dict[str, object]:
    return {name: part for name, part in check.args.items() if name != "tables"}
