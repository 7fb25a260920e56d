"""The desk that every step of a request or grant is taken at: database, catalog, rules, moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select, update

from catalog.materials import ItemMaterials
from catalog.model import CatalogView
from catalog.roles import Action
from yishu.ledger import journal
from yishu.ledger.journal import Actor
from yishu.ledger.models import REQUEST_NUMBER, ShareGrant, ShareRequest, ShareStep
from yishu.ledger.pins import Holder, Pin, pin_latest
from yishu.sharing.errors import NotThisState, ReasonMissing, RequestUnknown
from yishu.sharing.vocabulary import GrantState, RequestState

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Desk:
    """What a step needs, handed in.

    Attributes:
        connection: The caller's transaction.
        catalog: The release in force.
        profiles: Rule profiles in force, in the order in which their seats decide.
        at: The moment of the step, with its zone.
        materials: Materials of service items by basic code; empty: not known.
        upstream: Data sets that a table comes from, by lineage.
        authority, operator: Department ids of the data authority and the command centre.
        attachments: Folder of the requests' attachments.
        newest: The newest version of a table, None where nothing was published.
    """

    connection: Connection
    catalog: CatalogView
    profiles: tuple[str, ...]
    at: datetime
    materials: Mapping[str, ItemMaterials] = field(default_factory=dict)
    upstream: Callable[[str], frozenset[str]] = field(default=lambda _: frozenset())
    authority: str = "big_data_bureau"
    operator: str = "command_centre"
    attachments: Path = Path("attachments")
    newest: Callable[[str], int | None] = field(default=lambda _: None)

    def number(self, prefix: str) -> str:
        """A new number such as ``SQ00000012``."""
        return f"{prefix}{self.connection.scalar(REQUEST_NUMBER.next_value()):08d}"

    def request(self, request_id: str, *states: RequestState, lock: bool = True) -> Row[Any]:
        """A request, locked until the transaction ends; who only shows it takes no lock.

        Raises:
            RequestUnknown: there is none.
            NotThisState: it is in none of the states, where some are given.
        """
        asked = select(ShareRequest.__table__).where(ShareRequest.request_id == request_id)
        row = self.connection.execute(asked.with_for_update() if lock else asked).one_or_none()
        return _found(request_id, row, states)

    def grant(self, grant_id: str, *states: GrantState, lock: bool = True) -> Row[Any]:
        """A grant, locked until the transaction ends; like ``request``."""
        asked = select(ShareGrant.__table__).where(ShareGrant.grant_id == grant_id)
        row = self.connection.execute(asked.with_for_update() if lock else asked).one_or_none()
        return _found(grant_id, row, states)

    def set_request(self, request_id: str, **values: Any) -> None:
        """Change columns of a request."""
        where = ShareRequest.request_id == request_id
        self.connection.execute(update(ShareRequest).where(where).values(values))

    def set_grant(self, grant_id: str, **values: Any) -> None:
        """Change columns of a grant."""
        where = ShareGrant.grant_id == grant_id
        self.connection.execute(update(ShareGrant).where(where).values(values))

    def hold(self, grant_id: str, table: str, version: int) -> None:
        """Keep the version that a grant gives readable, in place of the one before."""
        pin_latest(self.connection, Pin(table, version, Holder.GRANT, grant_id, self.at))

    def step(
        self, actor: Actor, action: Action, object_id: str, kind: str, note: str | None = None
    ) -> None:
        """Put a step on the timeline, and the act into the journal."""
        self.connection.execute(
            insert(ShareStep).values(
                object_id=object_id,
                at=self.at,
                kind=kind,
                person=actor.person,
                role=actor.role.value,
                org=actor.org,
                note=note,
            )
        )
        journal.append(
            self.connection,
            journal.Act(
                actor, action, "sharing", object_id, self.at, reason=note, after={"step": kind}
            ),
        )


def reason_of(object_id: str, reason: str, what: str) -> str:
    """The reason, stripped.

    Raises:
        ReasonMissing: it is empty.
    """
    if reason.strip():
        return reason.strip()
    raise ReasonMissing(
        object_id,
        found=f"{what} without a reason",
        expected="a reason that the other side can act on (S004 Art.18)",
        remedy="write the reason",
    )


def _found(object_id: str, row: Row[Any] | None, states: tuple[Any, ...]) -> Row[Any]:
    if row is None:
        raise RequestUnknown(
            object_id,
            found="no request or grant of that number",
            expected="a number such as SQ00000012 or GT00000013",
            remedy="list them with `yishu share list`",
        )
    if states and row.state not in states:
        raise NotThisState(
            object_id,
            found=f"state {row.state} ({type(states[0])(row.state).label_zh})",
            expected=" or ".join(f"{one.value} ({one.label_zh})" for one in states),
            remedy="look at its timeline; somebody else may have been first",
        )
    return row
