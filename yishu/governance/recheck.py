"""A new version of the compilation rules re-checks every published entry (S004 Art.14).

What it finds is kept by entry, version and version of the rules. A failure is a task for the
department, and takes no entry out of force.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from catalog.compilation import CompilationRuleset, check_rules
from catalog.roles import Action
from yishu.governance.candidate import remarks_of
from yishu.governance.permission import require
from yishu.governance.versions import Version, published
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import CatalogCheck as Row


@dataclass(frozen=True)
class Failure:
    """An entry that does not satisfy a version of the rules; ``remarks`` say where and what."""

    entry_id: str
    version: int
    ruleset: int
    remarks: tuple[dict[str, str], ...]


def recheck(
    connection: Connection, ruleset: CompilationRuleset, actor: Actor, at: datetime
) -> list[Failure]:
    """Check every published entry against a version of the rules; those that fail.

    Raises:
        Forbidden: the role may not manage the rules.
    """
    require(actor, Action.MANAGE_RULES, f"compilation rules {ruleset.version}")
    entries = published(connection)
    rows = [_checked(one, ruleset, at) for one in entries]
    if rows:
        statement = insert(Row)
        kept = {"faults": statement.excluded.faults, "checked_at": statement.excluded.checked_at}
        keys = ["entry_id", "version", "ruleset"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=kept), rows)
    found = failures(connection, ruleset.version)
    after = {"entries": len(entries), "failed": len(found)}
    name = f"v{ruleset.version}"
    act = Act(
        actor, Action.MANAGE_RULES, "compilation_ruleset", name, at, ruleset.basis, None, after
    )
    append(connection, act)
    return found


def failures(connection: Connection, ruleset: int) -> list[Failure]:
    """Entries that failed when they were checked against a version of the rules."""
    asked = (
        select(Row)
        .where(Row.ruleset == ruleset, func.jsonb_array_length(Row.faults) > 0)
        .order_by(Row.entry_id, Row.version)
    )
    return [
        Failure(row["entry_id"], row["version"], ruleset, tuple(row["faults"]))
        for row in connection.execute(asked).mappings()
    ]


def by_department(found: Iterable[Failure]) -> dict[str, int]:
    """How many entries of each department failed."""
    counts: dict[str, int] = {}
    for one in found:
        org = one.entry_id.partition(".")[0]
        counts[org] = counts.get(org, 0) + 1
    return counts


def _checked(version: Version, ruleset: CompilationRuleset, at: datetime) -> dict[str, object]:
    findings = check_rules(version.entry_id, version.content, ruleset)
    return {
        "entry_id": version.entry_id,
        "version": version.version,
        "ruleset": ruleset.version,
        "faults": list(remarks_of([one.at("", 0) for one in findings])),
        "checked_at": at,
    }
