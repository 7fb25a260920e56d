"""What an officer saves, and what a save is refused for before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from catalog.secrecy import marks
from catalog.vocabulary import ChangeCause, EntryState, Secrecy
from yishu.governance import candidate
from yishu.governance.errors import ChangedMeanwhile, SecretRefused, StateRefused
from yishu.governance.versions import Version
from yishu.ledger.journal import Actor

KIND = "catalog_entry"
"""What the journal calls an entry."""


@dataclass(frozen=True)
class Draft:
    """What an officer saves.

    Attributes:
        content: The entry as its YAML file has it; what the process fills in is left out.
        cause: Why there is a new version.
        cause_note: The text or decision behind the cause.
        changed_on: Day of the change; the catalog clock starts there.
        edit: The edit of the draft that was read; None: there was no draft yet.
    """

    entry_id: str
    content: Mapping[str, Any]
    cause: ChangeCause
    cause_note: str
    changed_on: date
    edit: int | None = None


def saved_values(
    draft: Draft, content: dict[str, Any], actor: Actor, at: datetime
) -> dict[str, Any]:
    """What a version's row has after an edit."""
    return {
        **headings(content),
        "provider_org": draft.entry_id.partition(".")[0],
        "content": content,
        "digest": candidate.digest(content),
        "cause": draft.cause.value,
        "cause_note": draft.cause_note,
        "changed_on": draft.changed_on,
        "compiled_person": actor.person,
        "compiled_account": actor.account,
        "edited_at": at,
        **dict.fromkeys(("reviewed_person", "reviewed_account", "reviewed_at")),
    }


def headings(content: Mapping[str, Any]) -> dict[str, Any]:
    """What lists and searches show of a content; None where a draft says nothing."""
    return {
        "name": str(content.get("name") or content["id"]),
        "resource_code": _text(content.get("resource_code")),
        "data_kind": _text(content.get("data_kind")),
        "share_type": _text(_inside(content.get("share"))),
        "open_type": _text(_inside(content.get("open"))),
        "update_cycle": _text(content.get("update_cycle")),
    }


def _inside(value: Any) -> Any:
    return value.get("type") if isinstance(value, Mapping) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def refuse_secret(entry_id: str, content: dict[str, Any]) -> None:
    """Let a content pass that is not secret; of one that is, nothing is stored (S004 Art.2).

    Raises:
        SecretRefused: names where, and never what.
    """
    secrecy = content.get("secrecy", Secrecy.NONE.value)
    marked = [".".join(map(str, path)) for path, _ in marks(content)]
    if secrecy == Secrecy.NONE.value and not marked:
        return
    raise SecretRefused(
        entry_id,
        found=f"secrecy marks in {', '.join(marked)}" if marked else f"`secrecy: {secrecy}`",
        expected="no secret data: they are managed by the law on secrecy, outside this system",
        remedy="keep them out; if the data are not secret, correct the entry",
    )


def require_no_edit(draft: Draft) -> None:
    """Let a draft be the first one.

    Raises:
        ChangedMeanwhile: one was read that is no longer there.
    """
    if draft.edit is not None:
        raise ChangedMeanwhile(
            draft.entry_id,
            found="no draft any more: it was published or discarded meanwhile",
            expected=f"edit {draft.edit}, which was read",
            remedy="open the entry again and bring your changes over",
        )


def require_same_edit(draft: Draft, before: Version) -> None:
    """Let the next edit follow the one that was read.

    Raises:
        ChangedMeanwhile: somebody else saved meanwhile.
    """
    if draft.edit != before.edit:
        raise ChangedMeanwhile(
            draft.entry_id,
            found=f"edit {before.edit} by {before.compiled_account}, {before.edited_at:%F %H:%M}",
            expected=f"edit {draft.edit}, which was read" if draft.edit else "no draft yet",
            remedy="open the draft again and bring your changes over",
        )


def begun_meanwhile(draft: Draft) -> ChangedMeanwhile:
    """The refusal of a first edit: a colleague's came first."""
    return ChangedMeanwhile(
        draft.entry_id,
        found="edit 1 of another draft, saved at the same moment",
        expected="no draft yet",
        remedy="open the draft and bring your changes over",
    )


def require_state(version: Version, *allowed: EntryState) -> None:
    """Let a version that is in one of the states pass.

    Raises:
        StateRefused: says who decided, e.g. that another reviewer was first.
    """
    if version.state in allowed:
        return
    by = f" by {version.reviewed_account}" if version.reviewed_account else ""
    raise StateRefused(
        f"{version.entry_id} version {version.version}",
        found=f"{version.state.value} ({version.state.label_zh}){by}",
        expected=" or ".join(state.value for state in allowed),
        remedy="look at the entry again; somebody else may have decided meanwhile",
    )
