"""The house that serves: places, keys, clock and limits, and what every channel asks first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, text

from catalog.materials import ItemMaterials
from catalog.model import CatalogView
from yishu import secrets
from yishu.ledger.models import ShareGrant
from yishu.library import commits
from yishu.library.place import Place, newest_version
from yishu.sharing.desk import Desk
from yishu.sharing.errors import GrantHeld, RequestUnknown
from yishu.sharing.form import RowScope
from yishu.sharing.masking import grant_key
from yishu.sharing.objects import SharedObject, shared_object
from yishu.sharing.opening import check_fresh
from yishu.sharing.projection import Projection, Rules, build
from yishu.sharing.uselog import Use
from yishu.sharing.vocabulary import GrantState, ShareFormat

KEY_FILE = "sharing_key"
"""The secret that URLs, tokens of values and keys of the use log are made with."""


@dataclass(frozen=True)
class Limits:
    """What one grant may call.

    Attributes:
        calls_per_minute: Calls in a minute of the clock.
        misses: Verifications in ten minutes that may be answered "no" or "not found"; whoever
            guesses gets no further. A local choice.
    """

    calls_per_minute: int = 6_000
    misses: int = 200


@dataclass(frozen=True)
class House:
    """What serving needs, handed in.

    Attributes:
        catalog: Gives the release in force.
        library: Folder of the library.
        folder: Where projections, deliveries and attachments lie.
        key: The master key; see ``KEY_FILE``.
        clock: Gives the present moment, UTC.
        profiles: Rule profiles in force.
        upstream: Data sets that a table comes from, by lineage.
        authority, operator: Department ids of the data authority and the command centre.
        hold_on_fail: Whether a failed verdict of an entry holds its deliveries.
        value_digest: Digest of the HMAC that makes joinable tokens: ``sha256`` or ``sm3``.
    """

    engine: Engine
    catalog: Callable[[], CatalogView]
    library: Path
    folder: Path
    key: bytes = field(repr=False)
    clock: Callable[[], datetime]
    profiles: tuple[str, ...] = ("wuxi_2022",)
    materials: Mapping[str, ItemMaterials] = field(default_factory=dict)
    hold_on_fail: bool = True
    upstream: Callable[[str], frozenset[str]] = field(default=lambda _: frozenset())
    authority: str = "big_data_bureau"
    operator: str = "command_centre"
    limits: Limits = field(default_factory=Limits)
    value_digest: str = "sha256"

    @cached_property
    def projections(self) -> Path:
        """Folder of the projections."""
        return self.folder / "projections"

    def desk(self, connection: Connection) -> Desk:
        """A desk at the present moment."""
        return Desk(
            connection,
            self.catalog(),
            self.profiles,
            self.clock(),
            self.materials,
            self.upstream,
            self.authority,
            self.operator,
            self.folder / "attachments",
            partial(newest_version, self.library),
        )


def master_key(secrets_dir: Path) -> bytes:
    """The master key of sharing, made on first use and kept owner-only."""
    return bytes.fromhex(secrets.once(secrets_dir / KEY_FILE, lambda: token_hex(32)))


@dataclass(frozen=True)
class Ready:
    """A grant that may be served now, and the bytes to serve.

    Attributes:
        grant: Its row.
        run_id, committed_at: The run that published the version, and when (ISO 8601).
    """

    grant: Row[Any]
    object_: SharedObject
    projection: Projection
    run_id: str
    committed_at: str

    @property
    def key(self) -> tuple[str, ...]:
        """The object's key, where all of it is granted; else nothing."""
        return self.object_.key if set(self.object_.key) <= set(self.grant.columns) else ()


def ready(house: House, connection: Connection, grant_id: str) -> Ready:
    """A grant with its projection of the newest published version, built on the first read.

    While the grant is open that version stays readable, whatever maintenance does.

    Raises:
        RequestUnknown: no such grant.
        GrantStale: the catalog has changed since.
        GrantHeld: the data failed their last check.
    """
    grant = find(connection, grant_id)
    desk = house.desk(connection)
    check_fresh(desk, grant)
    object_ = shared_object(house.catalog(), grant.object_id)
    if house.hold_on_fail:
        check_verdict(connection, grant_id, object_)
    place = Place(house.library, object_.table)
    projection = build(house.projections, place, rules_of(house, grant))
    if grant.state == GrantState.OPEN:
        desk.hold(grant_id, object_.table, projection.version)
    made = next(
        one for one in commits(house.library, object_.table) if one.version <= projection.version
    )
    return Ready(grant, object_, projection, made.run_id, made.committed_at)


def find(connection: Connection, grant_id: str) -> Row[Any]:
    """A grant's row, not locked.

    Raises:
        RequestUnknown: there is none.
    """
    asked = select(ShareGrant.__table__).where(ShareGrant.grant_id == grant_id)
    found = connection.execute(asked).one_or_none()
    if found is None:
        raise RequestUnknown(
            grant_id,
            found="no grant of that number",
            expected="a number such as GT00000013",
            remedy="list them with `yishu share list`",
        )
    return found


def rules_of(house: House, grant: Row[Any]) -> Rules:
    """What a grant lets through. Verification compares clear values, and never shows them."""
    masks = {} if grant.format == ShareFormat.VERIFICATION else dict(grant.masks)
    scope = RowScope.model_validate(grant.row_scope)
    own_key = grant_key(house.key, grant.grant_id)
    digest = house.value_digest
    return Rules(tuple(grant.columns), scope, masks, grant.grant_id, own_key, digest)


def check_verdict(connection: Connection, grant_id: str, object_: SharedObject) -> None:
    """Hold what failed its last check (S004 Art.16).

    Raises:
        GrantHeld: the latest verdict of an entry that the object is made of is a fail.
    """
    failed = connection.scalars(text(_FAILED), {"entries": list(object_.entries)}).all()
    if failed:
        raise GrantHeld(
            grant_id,
            found=f"a failed verdict of {', '.join(sorted(failed))}",
            expected="data that passed their last check",
            remedy="wait for the next run, or follow the entry with `yishu quality`",
        )


def use_of(ready_: Ready, at: datetime, channel: str, requester: str, **served: Any) -> Use:
    """The record of a call of a grant; ``served`` adds rows, bytes, digest, keys and case.

    The purpose is the grant's unless the call named another.
    """
    grant = ready_.grant
    facts: dict[str, Any] = {
        "purpose_code": grant.purpose_code,
        "case_no": None,
        "row_keys": None,
        "rows": 0,
        "bytes": 0,
        "digest": None,
    }
    return Use(
        at=at,
        grant_id=grant.grant_id,
        channel=channel,
        requester=requester,
        consumer_org=grant.consumer_org,
        provider_orgs=tuple(grant.provider_orgs),
        object_id=grant.object_id,
        table_version=ready_.projection.version,
        run_id=ready_.run_id,
        columns=tuple(grant.columns),
        **{**facts, **served},
    )


_FAILED = """
select entry_id from (
    select distinct on (entry_id) entry_id, passed from ledger.verdict
    where entry_id = any(:entries) order by entry_id, decided_at desc, run_id desc
) as latest where not passed
"""
