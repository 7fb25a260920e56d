"""The form of a share request as a page: its fields, what speaks for and against each element."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from catalog.materials import needed
from catalog.vocabulary import UpdateCycle
from yishu.governance import items
from yishu.ledger.journal import Actor
from yishu.portal.pages import Page
from yishu.portal.world import World
from yishu.sharing.desk import Desk
from yishu.sharing.form import RequestForm, period_columns
from yishu.sharing.hints import hints
from yishu.sharing.minimality import Finding, check, smallest
from yishu.sharing.objects import SharedObject, shared_object
from yishu.sharing.vocabulary import Purpose, ShareFormat, Treatment

_TEXTS = ("scenario", "purpose", "legal_basis", "contact")
_PERIOD = ("period_column", "since", "until")
_ITEM = "item-"
MOST_HITS, IMPLEMENTATIONS = 20, 10
"""Items that a search shows, and rows looked at for each: one item is done in many places."""

PROPOSED_USE = "关联事项办理材料所需"


@dataclass(frozen=True)
class ServiceItem:
    """A service item that can be chosen: its code and its name."""

    code: str
    name: str


def content_of(object_id: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What the page's fields say, as plain data of a form."""
    elements = [
        {
            "field": name.removeprefix("use-"),
            "use": text,
            "treatment": given.get(f"how-{name.removeprefix('use-')}") or None,
        }
        for name, text in given.items()
        if name.startswith("use-") and text.strip()
    ]
    kind = given.get("format") or None
    return {
        **{name: given.get(name, "") for name in _TEXTS},
        "object_id": object_id,
        "service_items": codes_of(given),
        "purpose_code": given.get("purpose_code") or None,
        "elements": elements,
        "rows": {
            "regions": _parts(given.get("regions", "")),
            **{name: given.get(name) or None for name in _PERIOD},
        },
        "format": kind,
        "mode": ShareFormat(kind).mode.value if kind in set(ShareFormat) else None,
        "cycle": given.get("cycle") or None,
        "valid_from": given.get("valid_from") or None,
        "valid_until": given.get("valid_until") or None,
        "destination": given.get("destination") or None,
    }


def codes_of(given: Mapping[str, str]) -> list[str]:
    """Codes of the service items that were chosen, and of those that were typed."""
    chosen = [name.removeprefix(_ITEM) for name in given if name.startswith(_ITEM)]
    return list(dict.fromkeys([*chosen, *_parts(given.get("service_items", ""))]))


def _parts(text: str) -> list[str]:
    split = text.replace("，", ",").replace("、", ",").split(",")
    return [one.strip() for one in split if one.strip()]


def proposed(desk: Desk, object_: SharedObject, given: Mapping[str, str]) -> dict[str, str]:
    """The form with the smallest set that the chosen items' materials need, to be edited."""
    wanted = smallest(object_, needed(dict(desk.materials), codes_of(given)))
    kept = {name: text for name, text in given.items() if not name.startswith("use-")}
    uses = {f"use-{one}": given.get(f"use-{one}") or PROPOSED_USE for one in wanted}
    return {**given, **uses} if not wanted else {**kept, **uses}


def found_items(connection: Connection, asked: str) -> list[ServiceItem]:
    """Service items in force whose name or code holds what is asked."""
    if not asked.strip():
        return []
    found, _ = items.search(connection, asked, limit=MOST_HITS * IMPLEMENTATIONS)
    names = {one.basic_code: one.name for one in found}
    return [ServiceItem(code, name) for code, name in names.items()][:MOST_HITS]


def chosen_items(connection: Connection, given: Mapping[str, str]) -> list[ServiceItem]:
    """The items that are ticked, with their names."""
    ticked = [name.removeprefix(_ITEM) for name in given if name.startswith(_ITEM)]
    names = items.names(connection, ticked)
    return [ServiceItem(code, names.get(code, code)) for code in ticked]


@dataclass(frozen=True)
class Advice:
    """What is told before filing.

    Attributes:
        hints: What the department has already, in Chinese.
        findings: What the check says of each element that is asked for.
        smallest: The fields that the items' materials need; empty: not known.
    """

    hints: list[str]
    findings: list[Finding]
    smallest: tuple[str, ...]


def advice(
    world: World, desk: Desk, actor: Actor, form: RequestForm, items_of: Sequence[str]
) -> Advice:
    """What speaks for and against a form, for the service items of those codes.

    Raises:
        NotCataloged: the catalog in force has no such object.
    """
    object_ = shared_object(world.release(), form.object_id)
    wanted = needed(dict(desk.materials), items_of)
    rows, own = form.rows if form.fields else None, world.entries_of(actor.org)
    told = hints(desk, actor.org, object_.id, form.fields, rows, own_entries=own)
    is_known = all(one in object_.columns for one in form.fields)
    findings = check(form, object_, wanted) if is_known else []
    return Advice(told.texts_zh, findings, smallest(object_, wanted))


def values(
    page: Page, desk: Desk, actor: Actor, form: RequestForm, given: Mapping[str, str] | None
) -> dict[str, Any]:
    """What the form's template needs."""
    object_ = shared_object(page.world.release(), form.object_id)
    typed = dict(given) if given is not None else _defaults(page.world.today(), object_)
    told = advice(page.world, desk, actor, form, codes_of(typed))
    return {
        "object_": object_,
        "given": defaultdict(str, typed),
        "hints": told.hints,
        "findings": {one.field: one for one in told.findings},
        "smallest": told.smallest,
        "chosen": chosen_items(desk.connection, typed),
        "purposes": list(Purpose),
        "cycles": list(UpdateCycle),
        "formats": [one for one in ShareFormat if one.mode in object_.modes],
        "treatments": list(Treatment),
        "dated": [(one.field, one.name) for one in period_columns(object_).values()],
    }


def typed(form: RequestForm) -> dict[str, str]:
    """A form as the page's fields hold it; ``content_of`` undoes it."""
    plain = form.model_dump(mode="json")
    names = ("scenario", "purpose_code", "purpose", "legal_basis", "format", "cycle",
             "valid_from", "valid_until", "contact", "destination")  # fmt: skip
    found = {name: str(plain[name] or "") for name in names}
    found |= {name: str(plain["rows"][name] or "") for name in _PERIOD}
    found |= {f"use-{one.field}": one.use for one in form.elements}
    found |= {f"how-{one.field}": (one.treatment or "") for one in form.elements}
    found |= {f"{_ITEM}{code}": "on" for code in form.service_items}
    return found | {"regions": ",".join(form.rows.regions)}


def _defaults(today: date, object_: SharedObject) -> dict[str, str]:
    return {
        "cycle": object_.cycle.value,
        "valid_from": today.isoformat(),
        "valid_until": (today + timedelta(days=364)).isoformat(),
    }
