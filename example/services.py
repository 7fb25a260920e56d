"""Service items and cases: what can be applied for, who applied, and the numbers of the cases."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from example import codes, names
from example.chance import Bytes, Index
from example.world import LAST_DAY, City, Offices, date_digits, day_numbers, seconds

_MATTERS = (
    "食品经营", "公共场所卫生", "道路货物运输经营", "建筑工程施工", "人力资源服务", "劳务派遣经营",
    "医疗机构执业", "民办学校设立", "文艺表演团体设立", "临时占用绿地", "户外广告设置",
    "排水接入", "农药经营", "动物防疫条件", "出版物零售", "娱乐场所经营", "旅馆业特种行业",
    "社会保险登记", "失业保险金申领", "工伤认定", "职业技能鉴定补贴", "就业困难人员认定",
)  # fmt: skip
_ACTIONS = ("新办", "变更", "延续", "补证", "注销", "年度报告", "信息更正", "依申请公开")
_TYPES = ("01", "05", "07", "10", "20")
_FIRST_BUSINESS = 4
"""Position in ``_ACTIONS`` from which on items are business items; position 0 is the parent."""
_BUSINESS = 3
_FIELDS = tuple(f"{number:02d}" for number in range(1, 10))
_THEMES = (*(f"P{number}" for number in range(1, 6)), *(f"E{number}" for number in range(1, 10)))
_LAWS = (
    "《中华人民共和国行政许可法》第十二条",
    "《中华人民共和国食品安全法》第三十五条",
    "《社会保险费征缴暂行条例》第七条",
    "《优化营商环境条例》第十九条",
)
_CHANNELS = ("window", "web", "lingxi", "app", "terminal")
WINDOWS_EACH = 27
"""Service windows of each region."""
PACKAGES = 60
"""One-thing packages of the city."""
_STATUTORY = (20, 30, 45, 60)
_CASE_DAYS = 730
"""Cases were applied for in the last two years that the city knows."""


@dataclass(frozen=True)
class Items:
    """The service items of one handling system; every basic item is offered in every region.

    Attributes:
        system: Code of the handling system.
        department: Two digits of the department inside the basic code.
        offices: Who implements the items.
        count: How many items there are.
    """

    system: str
    department: str
    offices: Offices
    count: int

    @cached_property
    def _index(self) -> Index:
        return np.arange(self.count, dtype=np.int64)

    @cached_property
    def region(self) -> Index:
        """Position of each item's region in ``names.REGIONS``."""
        return self._index % len(names.REGIONS)

    @cached_property
    def basic(self) -> Index:
        """Number of each item's basic item: same number, same name, code and type everywhere."""
        return self._index // len(names.REGIONS)

    @cached_property
    def basic_codes(self) -> Bytes:
        """Basic codes, 12 digits: province, type, department, parent and child item."""
        return np.concatenate(
            [
                codes.repeated("32", self.count),
                codes.picked(list(_TYPES), self.basic % len(_TYPES)),
                codes.repeated(self.department, self.count),
                codes.digits(self.basic // len(_ACTIONS) + 1, 3),
                codes.digits(self.basic % len(_ACTIONS), 3),
            ]
        )

    @cached_property
    def codes(self) -> Bytes:
        """Implementation codes, 31 characters: body, county level, basic code."""
        body = codes.picked(self.offices.codes, self.region)
        return np.concatenate([body, codes.repeated("4", self.count), self.basic_codes])

    @cached_property
    def names(self) -> pa.Array:
        """Names of the items, e.g. 食品经营（变更）."""
        matter, action = np.divmod(self.basic, len(_ACTIONS))
        labels = [f"{matter}（{action}）" for matter in _MATTERS for action in _ACTIONS]
        return names.chosen(labels, matter % len(_MATTERS) * len(_ACTIONS) + action)

    @cached_property
    def statutory_days(self) -> Index:
        """Statutory time limits in working days."""
        return np.array(_STATUTORY)[self.basic % len(_STATUTORY)]

    @cached_property
    def promised_days(self) -> Index:
        """Promised time limits in working days; never longer than the statutory ones."""
        return self.statutory_days * (self.basic % 3) // 4

    @cached_property
    def levels(self) -> Index:
        """Parent item (1), child item (2) or business item (3); half are business items."""
        return np.digitize(self.basic % len(_ACTIONS), (1, _FIRST_BUSINESS)) + 1

    @cached_property
    def business(self) -> Index:
        """The items that guides are written for and that can be applied for, ascending."""
        return np.flatnonzero(self.levels == _BUSINESS)

    @cached_property
    def is_charged(self) -> npt.NDArray[np.bool_]:
        """Whether handling an item is charged: one in four, business items alike."""
        charged: npt.NDArray[np.bool_] = self.basic % 4 == 1
        return charged

    def visits(self, city: City, index: Index) -> Index:
        """How often an applicant has to come at most: 0 to 2."""
        return city.dice.below(f"{self.system}.visits", index, 3)

    def _upper_codes(self) -> pa.Array:
        """Basic codes of the items above: of the parent, or of the child for business items."""
        matter, action = np.divmod(self.basic, len(_ACTIONS))
        upper = np.where(self.levels == _BUSINESS, 1 + action % (_FIRST_BUSINESS - 1), 0)
        found = self.basic_codes.copy()
        # The child item decides the last three digits and the type, which goes round with it.
        above = matter * len(_ACTIONS) + upper
        found[2:4] = codes.picked(list(_TYPES), above % len(_TYPES))
        found[-3:] = codes.digits(upper, 3)
        return only_where(pa.array(self.levels > 1), codes.strings(found))

    def _more_facts(self, city: City, index: Index) -> dict[str, pa.Array]:
        """What the indicators and the three levels need (S000, S004 Art.3)."""
        dice, basic = city.dice, self.basic[index]
        kind, natural = basic % len(_TYPES), basic % 3 == 0
        field = names.chosen(_FIELDS, basic % len(_FIELDS))
        theme = np.where(natural, basic % 5, 5 + basic % 9)
        steps = [codes.digits(dice.below(f"{self.system}.step{n}", index, 2), 1) for n in range(11)]
        return {
            "item_level": names.chosen(("1", "2", "3"), self.levels[index] - 1),
            "parent_code": self._upper_codes().take(pa.array(index)),
            "legal_basis": names.chosen(_LAWS, basic % len(_LAWS)),
            "public_service_field": only_where(pa.array(kind == _TYPES.index("20")), field),
            "service_theme": names.chosen(_THEMES, theme),
            "visit_count": pa.array(self.visits(city, index)),
            "online_steps": codes.strings(np.concatenate(steps)),
        }

    def facts(self, city: City, index: Index) -> dict[str, pa.Array]:
        """Everything that the list of items says about the items of these numbers."""
        dice, basic = city.dice, self.basic[index]
        promised = self.promised_days[index]
        return {
            "implementation_code": codes.strings(self.codes[:, index]),
            "basic_code": codes.strings(self.basic_codes[:, index]),
            "item_name": self.names.take(pa.array(index)),
            "item_type": names.chosen(_TYPES, basic % len(_TYPES)),
            "exercise_level": names.chosen(("4",), np.zeros_like(index)),
            "org_name": names.chosen(self.offices.names, self.region[index]),
            "org_uscc": names.chosen(self.offices.codes, self.region[index]),
            "body_nature": names.chosen(("1",), np.zeros_like(index)),
            "service_object": names.chosen(("1", "2", "6"), basic % 3),
            "case_type": self.case_types(index),
            "statutory_days": pa.array(self.statutory_days[index]),
            "promised_days": pa.array(promised),
            "online_depth": names.chosen(
                ("2", "4", "5", "6", "7"), dice.below(f"{self.system}.depth", index, 5)
            ),
            "is_charged": pa.array(self.is_charged[index]),
            "region_code": names.chosen(tuple(names.REGIONS), self.region[index]),
            "handling_system": names.chosen((self.system,), np.zeros_like(index)),
            **self._more_facts(city, index),
        }

    def case_types(self, item: Index) -> pa.Array:
        """Instant case (1) or promised-time case (2) for these items."""
        return names.chosen(("1", "2"), (self.promised_days[item] > 0).astype(np.int64))


def approval_items(city: City) -> Items:
    """The items of the administrative approval system."""
    return Items("approval", "06", Offices("行政审批局", 6), city.share(100, least=420, most=2_800))


def labour_items(city: City) -> Items:
    """The items of the labour department's system."""
    offices = Offices("人力资源和社会保障局", 7)
    return Items("human_resources", "07", offices, city.share(500, least=210, most=700))


@dataclass(frozen=True)
class Cases:
    """The cases of one handling system, numbered from 0; one in 33 was not accepted.

    Attributes:
        items: What can be applied for.
        count: How many cases there are.
    """

    items: Items
    count: int

    @property
    def accepted_count(self) -> int:
        """How many cases were accepted."""
        return self.count - (self.count + 32) // 33

    @staticmethod
    def accepted(number: Index) -> Index:
        """The case behind the accepted case of a number from 0."""
        return number + number // 32 + 1

    @staticmethod
    def is_accepted(case: Index) -> pa.Array:
        """Whether each case was accepted."""
        return pa.array(case % 33 != 0)

    def item(self, case: Index) -> Index:
        """The item that each case applies for."""
        return self.items.business[case % len(self.items.business)]

    def applied_day(self, case: Index) -> Index:
        """Day number of the application."""
        turn = case // len(self.items.business)
        # 373 has no divisor in common with the number of days, so an item's days do not repeat
        # before all are used; then the serial number goes up.
        return LAST_DAY - (turn * 373 + self.item(case) * 59) % _CASE_DAYS

    def numbers(self, case: Index) -> Bytes:
        """Case numbers, 43 characters: implementation code, day, four digits."""
        serial = case // len(self.items.business) // _CASE_DAYS + 1
        return np.concatenate(
            [
                self.items.codes[:, self.item(case)],
                date_digits(self.applied_day(case)),
                codes.digits(serial, 4),
            ]
        )

    def applied_second(self, city: City, case: Index) -> Index:
        """Second of the day of the application, in office hours."""
        return 30_600 + city.dice.below(f"{self.items.system}.applied", case, 28_000)

    def accepted_second(self, city: City, case: Index) -> Index:
        """Second of acceptance, counted from the start of the day of application."""
        waited = city.dice.below(f"{self.items.system}.accepted", case, 100_000)
        return self.applied_second(city, case) + 60 + waited

    def facts(self, city: City, case: Index) -> dict[str, pa.Array]:
        """Everything that the application says about these cases."""
        system, item = self.items.system, self.item(case)
        day = self.applied_day(case)
        party = city.applicants(f"{system}.applicant", case)
        accepted = self.is_accepted(case)
        promised = day + 2 + self.items.promised_days[item] * 7 // 5
        return {
            "case_no": codes.strings(self.numbers(case)),
            "implementation_code": codes.strings(self.items.codes[:, item]),
            "item_name": self.items.names.take(pa.array(item)),
            "applicant_name": party.names,
            "applicant_id_type": party.id_types,
            "applicant_id_no": party.id_numbers,
            "contact_phone": city.mobile_phones(f"{system}.phone", case),
            "applied_at": seconds(day, self.applied_second(city, case)),
            "accepted_at": only_where(accepted, seconds(day, self.accepted_second(city, case))),
            "promised_on": only_where(accepted, day_numbers(promised)),
            "case_type": self.items.case_types(item),
            "region_code": names.chosen(tuple(names.REGIONS), self.items.region[item]),
            "handling_system": names.chosen((system,), np.zeros_like(case)),
            **self._way_in(city, case),
        }

    def _way_in(self, city: City, case: Index) -> dict[str, pa.Array]:
        """Channel, window, agent and package of the application."""
        dice, system = city.dice, self.items.system
        way = dice.below(f"{system}.channel", case, len(_CHANNELS))
        at_window = pa.array(way == 0)
        window = self.items.region[self.item(case)] + len(names.REGIONS) * dice.below(
            f"{system}.window", case, WINDOWS_EACH
        )
        agent = dice.below(f"{system}.agent", case, city.size)
        has_agent = pa.array(dice.often(f"{system}.has_agent", case, 15))
        package = dice.below(f"{system}.package", case, PACKAGES)
        in_package = pa.array(dice.often(f"{system}.in_package", case, 10))
        return {
            "channel": names.chosen(_CHANNELS, way),
            "window_id": only_where(at_window, window_ids(window)),
            "agent_name": only_where(has_agent, city.resident_names(agent)),
            "agent_id_no": only_where(has_agent, codes.strings(city.resident_facts(agent)[0])),
            "package_code": only_where(in_package, package_codes(package)),
        }


def window_ids(window: Index) -> pa.Array:
    """Numbers of windows, by position; a window's region is its position modulo the regions."""
    return codes.strings(
        np.concatenate([codes.repeated("CK", len(window)), codes.digits(window + 1, 6)])
    )


def package_codes(package: Index) -> pa.Array:
    """Codes of one-thing packages, by position."""
    return codes.strings(
        np.concatenate([codes.repeated("YJS", len(package)), codes.digits(package + 1, 6)])
    )


def only_where(kept: pa.Array, values: pa.Array) -> pa.Array:
    """The values where ``kept`` is true, no value elsewhere."""
    return pa.compute.if_else(kept, values, pa.scalar(None, values.type))


def approval_cases(city: City) -> Cases:
    """The cases of the administrative approval system."""
    return Cases(approval_items(city), city.share(5, least=600))


def labour_cases(city: City) -> Cases:
    """The cases of the labour department's system."""
    return Cases(labour_items(city), city.share(10))
