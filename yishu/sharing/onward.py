"""Onward transfer: shared data do not go on to others without their provider (S004 Art.17).

Lineage is asked, not people: a table that comes from what a grant delivered holds another
department's shared data, however many steps lie between. Under ``forbidden`` such a request is
refused and the attempt is on record; under ``with_provider_consent`` (Decree 809 Art.25) the
provider's consent is asked besides.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import select

from catalog.roles import Action
from yishu.ledger import journal
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareGrant
from yishu.sharing.desk import Desk
from yishu.sharing.errors import RequestRefused
from yishu.sharing.objects import SharedObject

_SHARE = "share/"


def upstream(events: Iterable[Mapping[str, Any]], dataset: str) -> frozenset[str]:
    """Names of all data sets that a data set comes from, by the lineage events.

    Whoever pulls files names them by a pattern of its own: it comes from every delivery that the
    pattern takes in.
    """
    origins: dict[str, set[str]] = defaultdict(set)
    for event in events:
        inputs = {one["name"] for one in event.get("inputs", ())}
        for output in event.get("outputs", ()):
            origins[output["name"]] |= inputs
    found: set[str] = set()
    waiting = deque([dataset])
    while waiting:
        name = waiting.popleft()
        for origin in (origins.get(name, set()) | _taken_in(name, origins)) - found:
            found.add(origin)
            waiting.append(origin)
    return frozenset(found)


def _taken_in(pattern: str, names: Iterable[str]) -> set[str]:
    if "*" not in pattern:
        return set()
    return {name for name in names if name != pattern and fnmatchcase(name, pattern)}


def foreign_providers(desk: Desk, object_: SharedObject) -> dict[str, tuple[str, ...]]:
    """Departments whose shared data an object holds beside its own providers, by the grant."""
    grants = [
        one.removeprefix(_SHARE) for one in desk.upstream(object_.table) if one.startswith(_SHARE)
    ]
    asked = select(ShareGrant.grant_id, ShareGrant.provider_orgs)
    rows = desk.connection.execute(asked.where(ShareGrant.grant_id.in_(grants)))
    own = set(object_.providers)
    return {
        row.grant_id: tuple(org for org in row.provider_orgs if org not in own)
        for row in rows
        if set(row.provider_orgs) - own
    }


def consents_needed(
    desk: Desk, request_id: str, object_: SharedObject, actor: Actor
) -> tuple[str, ...]:
    """Departments whose consent a request needs beside its providers'.

    Raises:
        RequestRefused: a profile in force forbids onward transfer; the attempt is on record.
    """
    foreign = foreign_providers(desk, object_)
    if not foreign:
        return ()
    rules = {desk.catalog.profiles[one].onward_transfer for one in desk.profiles}
    if "forbidden" not in rules:
        return tuple(dict.fromkeys(org for orgs in foreign.values() for org in orgs))
    grants = ", ".join(sorted(foreign))
    # A transaction of its own: the security event stays though the request is refused.
    with desk.connection.engine.begin() as apart:
        note = f"security event: onward transfer of what {grants} delivered"
        act = journal.Act(actor, Action.FILE_REQUEST, "sharing", request_id, desk.at, reason=note)
        journal.append(apart, act)
    raise RequestRefused(
        request_id,
        found=f"{object_.id}, which holds data shared by {grants}",
        expected="data that are the provider's own (不得提供给第三方, S004 Art.17)",
        remedy="ask the department that is the source of these data",
    )
