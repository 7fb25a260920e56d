"""The form of a share request: what it holds, and everything that is missing of it, at once.

A draft may lack anything. Whoever submits gets one reply that names every missing part
(S004 Art.18; Decree 809 Art.20, 21).
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from catalog.base import Identifier, Model
from catalog.vocabulary import DataType, ShareMode, ShareType, UpdateCycle
from yishu.sharing.errors import Missing
from yishu.sharing.objects import Column, SharedObject
from yishu.sharing.vocabulary import PERSONAL, Purpose, ShareFormat, Treatment

LONGEST_TERM_DAYS = 3 * 366
"""Longest term of one grant; then it is renewed. A local choice: the law names no number."""

_REGION_CODE = re.compile(r"\d{6}", re.ASCII)


class ElementUse(Model):
    """One element that is asked for, what it is used for, and how it is to be delivered.

    ``treatment`` None means: masked where the catalog says so.
    """

    field: Identifier
    use: str = ""
    treatment: Treatment | None = None


class RowScope(Model):
    """Which rows: region codes (a code ending in zeros covers what is below it) and a period.

    ``period_column`` is a date or time column of the object; both ends are inclusive days of
    Beijing time. Nothing given means every row.
    """

    regions: tuple[str, ...] = ()
    period_column: Identifier | None = None
    since: date | None = None
    until: date | None = None

    @field_validator("regions")
    @classmethod
    def _codes(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        if any(_REGION_CODE.fullmatch(code) is None for code in regions):
            raise PydanticCustomError("region", "a region code has six digits (GB/T 2260)")
        return regions

    @model_validator(mode="after")
    def _period(self) -> "RowScope":
        if (self.since or self.until) and self.period_column is None:
            raise PydanticCustomError("period", "a period needs period_column")
        if self.since and self.until and self.until < self.since:
            raise PydanticCustomError("period", "a period ends before it begins")
        return self


class RequestForm(Model):
    """What a department says when it asks for data; everything may be missing in a draft."""

    object_id: str = ""
    scenario: str = ""
    service_items: tuple[str, ...] = ()
    purpose_code: Purpose | None = None
    purpose: str = ""
    legal_basis: str = ""
    elements: tuple[ElementUse, ...] = ()
    rows: RowScope = RowScope()
    mode: ShareMode | None = None
    format: ShareFormat | None = None
    cycle: UpdateCycle | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    contact: str = ""
    destination: str | None = Field(default=None, description="connection id of a push")

    @model_validator(mode="before")
    @classmethod
    def _free_of_charge(cls, data: Any) -> Any:
        # S004 Art.17: sharing costs nothing; old forms have the line, with a zero in it.
        if not isinstance(data, dict) or "fee" not in data:
            return data
        if str(data["fee"]).strip() not in {"", "0", "0.0", "0.00", "None"}:
            raise PydanticCustomError("fee", "shared data are free of charge (S004 Art.17): no fee")
        return {name: value for name, value in data.items() if name != "fee"}

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are asked for, in order."""
        return tuple(one.field for one in self.elements)

    def treatment(self, field: str, object_: SharedObject) -> Treatment:
        """How a field is delivered: as asked, else masked where the catalog says so."""
        asked = next(one.treatment for one in self.elements if one.field == field)
        if asked is not None:
            return asked
        is_personal = object_.columns[field].sensitivity in PERSONAL
        return Treatment.MASKED if is_personal else Treatment.CLEAR


def missing(form: RequestForm, object_: SharedObject | None, *, consented: bool) -> list[Missing]:
    """Every missing or wrong part of a form; empty when it can be received.

    Args:
        form: The form.
        object_: What it asks for; None when the catalog has nothing of that name.
        consented: Whether the head of the department has agreed to file it.
    """
    found = [*_texts(form), *_term(form)]
    if object_ is None:
        found.append(Missing("REQ_NO_OBJECT", "object_id", "请从目录中选择所需的数据。"))
    else:
        found += [*_elements(form, object_), *_delivery(form, object_), *_rows(form, object_)]
    found += _items(form)
    if not consented:
        found.append(Missing("REQ_NO_CONSENT", "consent", "请由本部门负责人同意后再提交。"))
    return found


_TEXTS = {
    "scenario": ("REQ_NO_SCENARIO", "请写明具体应用场景。"),
    "purpose": ("REQ_NO_PURPOSE", "请写明利用目的。"),
    "purpose_code": ("REQ_NO_PURPOSE_CODE", "请选择用途类别。"),
    "legal_basis": ("REQ_NO_BASIS", "请写明使用依据。"),
    "mode": ("REQ_NO_MODE", "请选择共享方式。"),
    "format": ("REQ_NO_FORMAT", "请选择数据格式。"),
    "cycle": ("REQ_NO_CYCLE", "请选择更新周期。"),
    "contact": ("REQ_NO_CONTACT", "请填写联系人。"),
}


def _texts(form: RequestForm) -> Iterator[Missing]:
    for part, (code, remedy) in _TEXTS.items():
        if not str(getattr(form, part) or "").strip():
            yield Missing(code, part, remedy)


def _term(form: RequestForm) -> Iterator[Missing]:
    if form.valid_from is None or form.valid_until is None:
        yield Missing("REQ_NO_TERM", "valid_from, valid_until", "请填写使用时限的起止日期。")
    elif form.valid_until < form.valid_from:
        yield Missing("REQ_TERM", "valid_until", "使用时限的截止日期不得早于起始日期。")
    elif (form.valid_until - form.valid_from).days > LONGEST_TERM_DAYS:
        yield Missing("REQ_TERM", "valid_until", "使用时限最长三年，期满可续期。")


def _elements(form: RequestForm, object_: SharedObject) -> Iterator[Missing]:
    if not form.elements:
        yield Missing("REQ_NO_ELEMENT", "elements", "请逐项选择所需数据项并写明用途。")
    fields = form.fields
    for field in dict.fromkeys(one for one in fields if fields.count(one) > 1):
        yield Missing("REQ_ELEMENT_TWICE", field, f"数据项 {field} 重复，请只保留一行。")
    for one in form.elements:
        if one.field not in object_.columns:
            yield Missing(
                "REQ_NO_SUCH_ELEMENT", one.field, f"{object_.name}没有数据项 {one.field}。"
            )
        elif object_.columns[one.field].share_type is ShareType.NOT_SHARED:
            yield Missing("REQ_ELEMENT_NOT_SHARED", one.field, f"数据项 {one.field} 不予共享。")
        elif not one.use.strip():
            name = object_.columns[one.field].name
            yield Missing("REQ_NO_USE", one.field, f"请写明“{name}”的具体用途，或删去该项。")


def _delivery(form: RequestForm, object_: SharedObject) -> Iterator[Missing]:
    if form.mode and form.mode not in object_.modes:
        offered = "、".join(mode.label_zh for mode in object_.modes) or "无"
        yield Missing("REQ_MODE_NOT_OFFERED", "mode", f"该数据提供的共享方式为：{offered}。")
    if form.format and form.mode and form.format.mode is not form.mode:
        fitting = "、".join(one.label_zh for one in ShareFormat if one.mode is form.mode)
        yield Missing("REQ_FORMAT_OF_OTHER_MODE", "format", f"该共享方式的数据格式为：{fitting}。")
    if form.format is ShareFormat.DATABASE and not form.destination:
        yield Missing("REQ_NO_DESTINATION", "destination", "请填写接收数据库的连接名称。")


def _rows(form: RequestForm, object_: SharedObject) -> Iterator[Missing]:
    if form.rows.regions and REGION_COLUMN not in object_.columns:
        yield Missing("REQ_NO_REGION", "rows.regions", "该数据没有行政区划，不能按区域限定。")
    if form.rows.period_column and form.rows.period_column not in period_columns(object_):
        offered = "、".join(one.name for one in period_columns(object_).values()) or "无"
        remedy = f"限定期间须按该数据的日期或时间项：{offered}。"
        yield Missing("REQ_NO_SUCH_ELEMENT", "rows.period_column", remedy)


def period_columns(object_: SharedObject) -> dict[str, Column]:
    """Columns that a period can be said of: days and moments."""
    return {name: one for name, one in object_.columns.items() if one.type in _DATED}


_DATED = (DataType.DATE, DataType.TIMESTAMP)


REGION_COLUMN = "region_code"
"""The column that a row scope by region reads: the catalog's one name of the division code."""


def _items(form: RequestForm) -> Iterator[Missing]:
    if not form.service_items:
        yield Missing("REQ_NO_ITEM", "service_items", "请关联至少一个政务服务事项。")
    for item in form.service_items:
        if not (item.isascii() and item.isalnum()):
            yield Missing("REQ_ITEM", "service_items", f"事项编码 {item[:40]} 不是编码。")
