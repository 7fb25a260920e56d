"""Rules of how an entry is pulled: what each mode needs, which kinds of systems can serve it."""

from collections import Counter
from collections.abc import Iterator

from catalog.faults import Finding
from catalog.kinds import Kind
from catalog.model import CatalogEntry, CatalogView
from catalog.vocabulary import PullMode, SystemKind
from catalog.wording import shown

_BY_QUERY = (SystemKind.POSTGRESQL, SystemKind.SQL, SystemKind.REST)
"""Kinds that give all changes since a moment. A drop folder does not: its newest file is read, and
changes in a file that nobody read would be lost."""

_NEEDED = {PullMode.INCREMENTAL: "watermark", PullMode.CHANGE_LOG: "change_log"}
_ALLOWED = {
    "watermark": (PullMode.INCREMENTAL,),
    "change_log": (PullMode.CHANGE_LOG,),
    "tombstone": (PullMode.FULL, PullMode.INCREMENTAL),
    "reconcile_hours": (PullMode.INCREMENTAL,),
}


def kind_of_system(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Only systems that can be asked for changes are pulled by changes."""
    spec = entry.source
    if spec.mode is not PullMode.FULL and spec.kind not in _BY_QUERY:
        yield _misfit(
            entry,
            "mode",
            found=f"`{spec.mode}` for a {spec.kind} source",
            expected=f"`full`, or one of {', '.join(_BY_QUERY)}",
            remedy="set `mode: full`: the newest file is read as a whole",
        )
    if spec.watermark and spec.watermark.parameter and spec.kind is not SystemKind.REST:
        yield _misfit(
            entry,
            "watermark",
            found=f"`parameter` for a {spec.kind} source",
            expected="`parameter` for rest only",
            remedy="remove `parameter`; databases are asked by the column",
        )


def settings(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """A mode has the columns that it needs, and no setting of another mode."""
    spec = entry.source
    needed = _NEEDED.get(spec.mode)
    if needed and getattr(spec, needed) is None:
        yield _misfit(
            entry,
            needed,
            found=f"mode `{spec.mode}` without `{needed}`",
            expected=f"`{needed}`, which names the columns that tell changes",
            remedy=f"add `{needed}: …` under `source`, or set `mode: full`",
        )
    for key, modes in _ALLOWED.items():
        if getattr(spec, key) is not None and spec.mode not in modes:
            yield _misfit(
                entry,
                key,
                found=f"`{key}` in mode `{spec.mode}`",
                expected=f"`{key}` in mode {', '.join(modes)} only",
                remedy=f"remove `{key}`, or correct the mode",
            )


def deletions(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Deleted rows have no stamp to be seen by, so something else has to tell of them."""
    spec = entry.source
    if spec.mode is not PullMode.INCREMENTAL or spec.tombstone:
        return
    if spec.reconcile_hours is None:
        yield _misfit(
            entry,
            "reconcile_hours",
            found="no way to see that a row was deleted",
            expected="`tombstone`, `reconcile_hours`, or both",
            remedy="add `reconcile_hours: 168` to compare all keys once a week, even where rows "
            "should never be deleted",
        )


def columns(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Each technical column has one meaning, and the type of its item where it is one as well."""
    items = {item.source_column: item for item in entry.items}
    technical = entry.source.technical_columns
    for name, count in Counter(name for _, name, _ in technical).items():
        if count > 1:
            yield _misfit(
                entry,
                _setting(next(use for use, other, _ in technical if other == name)),
                found=f"the column {shown(name)} {count} times",
                expected="a column of its own for each purpose",
                remedy="correct the names",
            )
    for use, name, type_ in technical:
        item = items.get(name)
        if use == "watermark" and item is not None and item.type is not type_:
            yield _misfit(
                entry,
                "watermark",
                found=f"`{type_}` for {shown(name)}, whose item `{item.field}` is {item.type}",
                expected=f"`type: {item.type}`",
                remedy="give both the same type",
            )


def ranges(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Only PostgreSQL shares one snapshot between sessions, and only a full pull needs it."""
    spec = entry.source
    if spec.ranges == 1 or (spec.kind is SystemKind.POSTGRESQL and spec.mode is PullMode.FULL):
        return
    yield _misfit(
        entry,
        "ranges",
        found=f"{spec.ranges} ranges of a {spec.kind} source in mode `{spec.mode}`",
        expected="`ranges` for postgresql in mode `full` only",
        remedy="remove `ranges`",
    )


def _setting(use: str) -> str:
    return use if use in ("watermark", "tombstone") else "change_log"


def _misfit(entry: CatalogEntry, key: str, *, found: str, expected: str, remedy: str) -> Finding:
    path = ("source", key)
    return Finding(
        Kind.ENTRY, entry.id, path, "CAT_MODE_MISFIT", found=found, expected=expected, remedy=remedy
    )


RULES = (kind_of_system, settings, deletions, columns, ranges)
