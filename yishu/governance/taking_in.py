"""Many entries at once as drafts: what is wrong with each, and all saved in one transaction."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from catalog.faults import Fault
from catalog.vocabulary import ChangeCause
from yishu.governance import candidate, versions
from yishu.governance.candidate import Rules
from yishu.governance.drafting import Draft
from yishu.governance.saving import save_all
from yishu.ledger.journal import Actor

Given = tuple[str, Mapping[str, Any]]
"""An entry's id and its content."""


@dataclass(frozen=True)
class Why:
    """Why the entries change: one cause, one text or decision, one day for all of them."""

    cause: ChangeCause
    note: str
    changed_on: date


def faults_by(
    rules: Rules, on: date
) -> Callable[[Mapping[str, Mapping[str, Any]]], dict[str, list[Fault]]]:
    """What finds every fault of the entries of a file, by the rules of a day."""

    def faults_of(contents: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Fault]]:
        completed = {
            id_: candidate.completed(candidate.plain(content), 1, on, candidate.ANY_REVIEW)
            for id_, content in contents.items()
        }
        return candidate.faults_of_all(completed, rules)

    return faults_of


def take_in(
    connection: Connection,
    given: Iterable[Given],
    why: Why,
    actor: Actor,
    at: datetime,
    *,
    profile: str | None = None,
) -> int:
    """Save every entry as a draft, or as the next edit of its draft, all or none; how many.

    Raises:
        Forbidden: one of them is another body's.
        StateRefused: the version of one is under review.
    """
    edits = versions.open_edits(connection)
    drafts = (
        Draft(entry_id, content, why.cause, why.note, why.changed_on, edits.get(entry_id))
        for entry_id, content in given
    )
    return save_all(connection, drafts, actor, at, profile=profile)
