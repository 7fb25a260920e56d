"""The gate that every call passes: token, purpose, case number, rate; and the log on the way out.

What a token may read is kept for a moment, so that a call costs no query of its own: the group
commit of the use log looks whether the grant is still open, before any answer leaves.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from catalog.errors import YishuError
from yishu.sharing.errors import AccessDenied, SharingError
from yishu.sharing.house import House, Ready, ready, use_of
from yishu.sharing.lookup import Lookup
from yishu.sharing.tokens import token_hash, token_id_of
from yishu.sharing.uselog import REVOKED, TOKEN, UNKNOWN, Use, UseLog, denied
from yishu.sharing.vocabulary import ENDED, Purpose

FRESH = timedelta(seconds=2)
"""When what is known of a grant is read anew, beside the calls that go on."""

LATEST = timedelta(seconds=4)
"""How long a new version, a failed verdict or a changed catalog may go unseen."""

_MISS_WINDOW = timedelta(minutes=10)
_MINUTE = timedelta(minutes=1)
_GROUP = 2_000
_GATHER_SECONDS = 0.001

_TOKEN = text(
    "select token_hash, expires_at, revoked_at, grant_id, state from ledger.share_token "
    "inner join ledger.share_grant using (grant_id) where token_id = :token_id"
)


@dataclass
class Pass:
    """What is known of a token.

    Attributes:
        since: When it was read.
        lookup, licences: Rows by key and by licence identifier, made on the first question.
    """

    token_id: str
    hash: str
    expires_at: datetime
    ready: Ready
    since: datetime
    lookup: Lookup | None = None
    licences: Lookup | None = None


@dataclass
class Pace:
    """What a grant called lately."""

    calls: deque[datetime] = field(default_factory=deque)
    misses: deque[datetime] = field(default_factory=deque)


class Gate:
    """Admits calls and puts them on record; one object a server process."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._log = UseLog(house.engine)
        self._passes: dict[str, Pass] = {}
        self._known: dict[str, tuple[datetime, Ready]] = {}
        self._paces: dict[str, Pace] = {}
        self._waiting: list[tuple[Use, asyncio.Future[Use]]] = []
        self._is_crowded = False
        self._writer: asyncio.Task[None] | None = None
        self._first = asyncio.Lock()
        self._reading: dict[str, asyncio.Task[None]] = {}

    async def admit(
        self,
        authorization: str | None,
        channel: str,
        *,
        purpose: str | None = None,
        case_no: str | None = None,
        formats: Sequence[str] = (),
    ) -> Pass:
        """The pass of a call's token, after every check; a denial is on record before it is said.

        Args:
            authorization: The header of that name.
            channel: Name of the channel, for the log.
            purpose: What the call says it is for; None where the protocol cannot say it.
            case_no: The case it is for.
            formats: Formats of grants that this channel serves.

        Raises:
            AccessDenied: 401 without a living token; 403 for an ended grant, another channel,
                purpose or case; 429 over the limits.
            SharingError: the grant is stale or held.
        """
        token = (authorization or "").removeprefix("Bearer ").strip()
        now = self.house.clock()
        found = await self._pass_of(token, channel, now)
        grant = found.ready.grant
        reason = self._refusal(grant, purpose, case_no, formats, now)
        if reason is None:
            return found
        use = self.use(found, channel, case_no=case_no, purpose=purpose)
        await self.record(denied(use, reason[1]))
        raise _denied(grant.grant_id, reason[1], reason[0])

    async def ready_of(self, grant_id: str) -> Ready:
        """A grant for a call without a token: as it was read a moment ago, or read anew.

        Raises:
            SharingError: there is no such grant, or it is stale or held.
        """
        since, known = self._known.get(grant_id, (None, None))
        if since and known and timedelta() <= self.house.clock() - since < FRESH:
            return known
        return await asyncio.to_thread(self._load_grant, grant_id)

    def _load_grant(self, grant_id: str) -> Ready:
        since = self.house.clock()
        with self.house.engine.begin() as connection:
            found = ready(self.house, connection, grant_id)
        self._known[grant_id] = since, found
        return found

    def use(self, found: Pass, channel: str, *, purpose: str | None = None, **served: Any) -> Use:
        """The record of a call that this pass was admitted for."""
        if purpose is not None:
            served["purpose_code"] = purpose[:64]
        requester = f"{TOKEN}{found.token_id}"
        return use_of(found.ready, self.house.clock(), channel, requester, **served)

    async def record(self, use: Use) -> Use:
        """Put a use on record, in a group with what else waits; returns it as recorded.

        Raises:
            UseNotRecorded: nothing may be served.
        """
        future: asyncio.Future[Use] = asyncio.get_running_loop().create_future()
        self._waiting.append((use, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    async def serve(self, use: Use) -> None:
        """Put a served use on record, or deny it after all.

        Raises:
            AccessDenied: the channel was closed, or has another token, meanwhile.
            UseNotRecorded: nothing may be served.
        """
        recorded = await self.record(use)
        if recorded.outcome != "served":
            self._passes.clear()
            self._known.clear()
            status = 401 if recorded.reason == REVOKED else 403
            raise _denied(use.grant_id, recorded.reason or "denied", status)

    async def refuse(self, channel: str, found: str, grant_id: str = UNKNOWN) -> AccessDenied:
        """The error of a call that is refused for what it is; it is on record."""
        await self.record(_stranger(channel, self.house.clock(), found, grant_id[:64]))
        return _denied(channel, found, 403)

    def miss(self, grant_id: str) -> None:
        """Count a verification that did not match."""
        self._pace(grant_id).misses.append(self.house.clock())

    def _pace(self, grant_id: str) -> Pace:
        return self._paces.setdefault(grant_id, Pace())

    async def _write(self) -> None:
        while self._waiting:
            if self._is_crowded:
                # Whoever comes in the meantime shares the transaction, and its cost.
                await asyncio.sleep(_GATHER_SECONDS)
            group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
            self._is_crowded = len(group) > 1
            try:
                written = await asyncio.to_thread(self._log.append, [use for use, _ in group])
            except Exception as error:
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), use in zip(group, written, strict=True):
                    if not future.done():
                        future.set_result(use)

    async def _pass_of(self, token: str, channel: str, now: datetime) -> Pass:
        token_id = token_id_of(token)
        known = self._passes.get(token_id or "")
        age = now - known.since if known else LATEST
        if known is None or age >= LATEST or age < timedelta():
            known = await self._read(token_id, token, channel, now)
        elif age >= FRESH and token_id not in self._reading:
            # Read anew beside the calls: none waits for it, and closing is seen at the log anyway.
            self._reading[known.token_id] = asyncio.create_task(self._renew(known.token_id, token))
        if not hmac.compare_digest(known.hash, token_hash(token)):
            raise await self._unknown(channel, now, "a wrong token")
        if now >= known.expires_at:
            raise await self._unknown(channel, now, "an expired token", known)
        return known

    async def _renew(self, token_id: str, token: str) -> None:
        try:
            found = await asyncio.to_thread(self._load, token_id, token)
        except YishuError:
            found = "not served any more"
        finally:
            del self._reading[token_id]
        if isinstance(found, Pass):
            self._passes[token_id] = found
        elif self._passes.get(token_id) and hmac.compare_digest(
            self._passes[token_id].hash, token_hash(token)
        ):
            # The next call reads it again, and is told why.
            del self._passes[token_id]

    async def _read(self, token_id: str | None, token: str, channel: str, now: datetime) -> Pass:
        async with self._first:
            known = self._passes.get(token_id or "")
            if known is not None and timedelta() <= now - known.since < FRESH:
                return known
            try:
                found = await asyncio.to_thread(self._load, token_id, token)
            except SharingError as error:
                await self.record(_stranger(channel, now, error.found, error.obj))
                raise
        if isinstance(found, str):
            raise await self._unknown(channel, now, found)
        self._passes[found.token_id] = found
        return found

    def _load(self, token_id: str | None, token: str) -> Pass | str:
        if token_id is None:
            return "no token"
        with self.house.engine.begin() as connection:
            row = connection.execute(_TOKEN, {"token_id": token_id}).one_or_none()
            if row is None or not hmac.compare_digest(row.token_hash, token_hash(token)):
                return "an unknown token"
            if row.revoked_at is not None and row.state in ENDED:
                # Whoever holds the token was its rightful owner, and is told what became of it.
                raise _denied(row.grant_id, f"a grant that is {row.state}", 403)
            if row.revoked_at is not None:
                return REVOKED
            served = ready(self.house, connection, row.grant_id)
        before = self._passes.get(token_id)
        is_same = before and before.ready.projection.identity == served.projection.identity
        lookups = (before.lookup, before.licences) if before and is_same else (None, None)
        since = self.house.clock()
        return Pass(token_id, row.token_hash, row.expires_at, served, since, *lookups)

    async def _unknown(
        self, channel: str, now: datetime, found: str, known: Pass | None = None
    ) -> AccessDenied:
        grant_id = known.ready.grant.grant_id if known else UNKNOWN
        await self.record(_stranger(channel, now, found, grant_id))
        return _denied(channel, found, 401)

    def _refusal(
        self,
        grant: Any,
        purpose: str | None,
        case_no: str | None,
        formats: Sequence[str],
        now: datetime,
    ) -> tuple[int, str] | None:
        if formats and grant.format not in formats:
            return 403, f"a channel that the grant does not have ({grant.format})"
        if purpose is not None and purpose != grant.purpose_code:
            return 403, f"another purpose than {grant.purpose_code}"
        needs_case = purpose is not None and grant.purpose_code == Purpose.CASE_HANDLING
        if needs_case and not (case_no or "").strip():
            return 403, "no case number"
        return self._too_fast(grant.grant_id, now)

    def _too_fast(self, grant_id: str, now: datetime) -> tuple[int, str] | None:
        pace, limits = self._pace(grant_id), self.house.limits
        _drop_before(pace.calls, now - _MINUTE)
        _drop_before(pace.misses, now - _MISS_WINDOW)
        if len(pace.misses) >= limits.misses:
            return 429, "too many answers of no or not found: guessing is not verification"
        if len(pace.calls) >= limits.calls_per_minute:
            return 429, "more calls in a minute than the grant may make"
        pace.calls.append(now)
        return None


def _drop_before(moments: deque[datetime], first: datetime) -> None:
    while moments and moments[0] < first:
        moments.popleft()


def _stranger(channel: str, at: datetime, reason: str, grant_id: str) -> Use:
    return Use(
        at=at, grant_id=grant_id, channel=channel, requester=UNKNOWN, consumer_org=UNKNOWN,
        provider_orgs=(), purpose_code=UNKNOWN, case_no=None, object_id=UNKNOWN,
        table_version=None, run_id=None, columns=(), row_keys=(), rows=0, bytes=0, digest=None,
        outcome="denied", reason=reason,
    )  # fmt: skip


def _denied(obj: str, found: str, status: int) -> AccessDenied:
    return AccessDenied(
        obj,
        found=found,
        expected="a living token of an open grant, used for its purpose",
        remedy="look at the grant's timeline; the command centre renews tokens",
        status=status,
    )
