"""The tables of electronic licences: the same twelve facts, in each department's own way."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from example import codes, faults, names
from example.chance import Index, spread
from example.faults import Fault, FaultKind
from example.table import Facts, Place, Table, columns
from example.world import LAST_DAY, NO_END, City, Offices, Parties, day_numbers, region_texts

_DEFINED_BY = "11100000MB0000000W"
"""Stands for the ministry that defines a kind of licence; invented."""

_COMMON = (
    "licence_identifier",
    "licence_type",
    "licence_no",
    "holder_name",
    "holder_id_type",
    "holder_id_no",
    "issuing_org_name",
    "issuing_org_uscc",
    "issued_on",
    "valid_until",
    "status",
    "region_code",
)


@dataclass(frozen=True)
class LicenceKind:
    """What tells one kind of licence from the others.

    Attributes:
        name: Code of the licence type.
        number: Three digits that end the kind part of the licence identifier.
        mark: Capital letters that begin a licence number.
        years: Years of validity; 0: most have no end.
        offices: Who issues it.
        holder: Who holds licence number ``index``.
    """

    name: str
    number: str
    mark: str
    years: int
    offices: Offices
    holder: Callable[[Index], Parties]


def licence_identifiers(city: City, kind: LicenceKind, index: Index) -> pa.Array:
    """The electronic licence identifiers of one kind of licence."""
    place = _place(city, kind, index)
    issuer = codes.picked(kind.offices.codes, place)
    defined = codes.repeated(_DEFINED_BY + kind.number, len(index))
    serial = np.concatenate([codes.repeated("2025", len(index)), codes.digits(index + 1, 9)])
    return codes.strings(codes.licence_identifiers(defined, issuer, serial))


def _place(city: City, kind: LicenceKind, index: Index) -> Index:
    return city.dice.below(f"{kind.name}.office", index, len(names.REGIONS))


def licence_facts(city: City, kind: LicenceKind, index: Index) -> dict[str, pa.Array]:
    """The twelve facts that all licences share."""
    place = _place(city, kind, index)
    issued = LAST_DAY - 1 - city.dice.below(f"{kind.name}.issued", index, 1_800)
    ends = issued + kind.years * 365 if kind.years else np.full(len(index), NO_END)
    holder = kind.holder(index)
    status = np.digitize(city.dice.below(f"{kind.name}.status", index, 100), (92, 97))
    number = [codes.repeated(kind.mark, len(index)), codes.digits(index + 1, 10)]
    return {
        "licence_identifier": licence_identifiers(city, kind, index),
        "licence_type": names.chosen((kind.name,), np.zeros(len(index), np.int64)),
        "licence_no": codes.strings(np.concatenate(number)),
        "holder_name": holder.names,
        "holder_id_type": holder.id_types,
        "holder_id_no": holder.id_numbers,
        "issuing_org_name": names.chosen(kind.offices.names, place),
        "issuing_org_uscc": names.chosen(kind.offices.codes, place),
        "issued_on": day_numbers(issued),
        "valid_until": day_numbers(ends),
        "status": names.chosen(("01", "04", "07"), status),
        "region_code": region_texts(place),
    }


def _faults(*more: Fault) -> tuple[Fault, ...]:
    return (
        faults.check_digit("licence_identifier"),
        faults.check_digit("issuing_org_uscc"),
        faults.respelt(FaultKind.LOWER_CASE, "licence_identifier"),
        faults.duplicate("licence_no"),
        faults.missing("holder_name"),
        faults.unknown_code("status", "88"),
        faults.null_spelling("issuing_org_name", nullable=True),
        faults.null_spelling("holder_id_no", nullable=False),
        faults.impossible_date("valid_until"),
        faults.no_end("valid_until"),
        faults.wrong_order("issued_on", "valid_until"),
        *more,
    )


def _listing(source_names: str, forms: str, more: str = "") -> str:
    """Column lines of the common facts under the source's names; ``forms`` spells its dates."""
    lines = []
    for field, name in zip(_COMMON, source_names.split(), strict=True):
        dates = field in {"issued_on", "valid_until"}
        lines.append(f"{field} {name} date {forms}" if dates else f"{field} {name}")
    return "\n".join(lines) + "\n" + more


def _enterprise_holder(city: City) -> Callable[[Index], Parties]:
    return lambda index: city.enterprises(spread(index, city.size))


def _add(facts: Facts, more: Facts) -> Facts:
    return lambda index: {**facts(index), **more(index)}


def _common(city: City, kind: LicenceKind) -> Facts:
    return lambda index: licence_facts(city, kind, index)


_MARKET = Offices("市场监督管理局", 3)
_LABOUR = Offices("人力资源和社会保障局", 7)
_BUILDING = Offices("住房和城乡建设局", 8)
_TRANSPORT = Offices("交通运输局", 9)
_HEALTH = Offices("卫生健康委员会", 10)


def business_licence_kind(city: City) -> LicenceKind:
    """Business licences: one for every enterprise, with the enterprise's own number."""
    return LicenceKind("business_licence", "001", "YYZZ", 0, _MARKET, city.enterprises)


def business_licence(city: City) -> Table:
    """Business licences, as the electronic licence system of market regulation keeps them."""
    kind = business_licence_kind(city)
    return Table(
        "market_regulation.business_licence",
        "licence_no",
        Place("market_regulation_db", "t_yyzz", typed=True),
        columns(
            _listing(
                "zzbs zzlx zzbh czrmc czrzjlx czrzjhm fzjg fzjgdm fzrq yxqz zzzt xzqh", "%Y-%m-%d"
            )
        ),
        city.size,
        _common(city, kind),
        _faults(faults.no_end("issued_on", open_ended=False)),
    )


def food_licence(city: City) -> Table:
    """Food licences, as market regulation's own system for them keeps them."""
    kind = LicenceKind("food_licence", "002", "JYSP", 5, _MARKET, _enterprise_holder(city))

    def more(index: Index) -> dict[str, pa.Array]:
        formats = ("食品销售经营者", "餐饮服务经营者", "单位食堂")
        goods = ("预包装食品销售", "散装食品销售", "热食类食品制售", "自制饮品制售")
        return {
            "business_format": names.chosen(formats, city.dice.below("food.format", index, 3)),
            "business_items": names.chosen(goods, city.dice.below("food.items", index, 4)),
        }

    return Table(
        "market_regulation.food_licence",
        "licence_no",
        Place("market_regulation_db", "t_spjyxkz", typed=True),
        columns(
            _listing(
                "zzbs zzlx xkzbh jyzmc jyzzjlx jyzzjhm fzjg fzjgdm fzrq yxqz zzzt xzqh",
                "%Y-%m-%d",
                "business_format ztyt\nbusiness_items jyxm",
            )
        ),
        city.share(10),
        _add(_common(city, kind), more),
        _faults(faults.null_spelling("business_items", nullable=True)),
    )


def social_security_card(city: City) -> Table:
    """Social security cards of residents, as the labour department keeps them."""
    kind = LicenceKind(
        "social_security_card",
        "003",
        "K",
        10,
        _LABOUR,
        lambda index: city.residents(spread(index, city.size)),
    )

    def more(index: Index) -> dict[str, pa.Array]:
        banks = ("示例银行一", "示例银行二", "示例银行三")
        return {"bank_name": names.chosen(banks, city.dice.below("card.bank", index, 3))}

    return Table(
        "human_resources.social_security_card",
        "licence_no",
        Place("human_resources_db", "sbk_kxx"),
        columns(
            _listing(
                "zzbs zzlx sbkh xm zjlx zjhm fkjg fkjgdm fkrq yxqz kzt xzqh",
                "%Y%m%d",
                "bank_name fwyh",
            )
        ),
        min(city.size, city.share(4)),
        _add(_common(city, kind), more),
        _faults(faults.no_end("issued_on", open_ended=False)),
    )


def construction_permit(city: City) -> Table:
    """Construction permits, as the building department drops them in GB18030."""
    kind = LicenceKind("construction_permit", "004", "SGXK", 3, _BUILDING, _enterprise_holder(city))

    def more(index: Index) -> dict[str, pa.Array]:
        works = tuple(
            f"{region}{n}号地块工程" for region in names.REGIONS.values() for n in range(90)
        )
        return {
            "project_name": names.chosen(
                works, city.dice.below("permit.project", index, len(works))
            ),
            "contract_price": pa.array(
                1_000_000 + city.dice.below("permit.price", index, 90_000) * 1_000
            ),
            "floor_area": pa.array(1_000 + city.dice.below("permit.area", index, 80_000)),
        }

    return Table(
        "housing_construction.construction_permit",
        "licence_no",
        Place("housing_construction_drop", "sgxkz_20260101.csv", encoding="gb18030"),
        columns(
            _listing(
                "ZZBS ZZLX SGXKZBH JSDWMC JSDWZJLX JSDWDM FZJG FZJGDM FZRQ YXQZ ZZZT XZQHDM",
                "%Y年%m月%d日",
                "project_name GCMC\ncontract_price HTJG number\nfloor_area JZMJ number",
            )
        ),
        city.share(25),
        _add(_common(city, kind), more),
        _faults(
            faults.respelt(FaultKind.THOUSANDS_COMMAS, "contract_price"),
            faults.respelt(FaultKind.FULL_WIDTH, "floor_area"),
        ),
    )


def road_transport_licence(city: City) -> Table:
    """Road transport licences, as the transport department keeps them in a spreadsheet."""
    kind = LicenceKind(
        "road_transport_licence", "005", "JYXK", 4, _TRANSPORT, _enterprise_holder(city)
    )

    def more(index: Index) -> dict[str, pa.Array]:
        scopes = ("普通货运", "货物专用运输（集装箱）", "道路旅客运输", "危险货物运输")
        return {
            "business_scope": names.chosen(scopes, city.dice.below("road.scope", index, 4)),
            "vehicle_count": pa.array(1 + city.dice.below("road.vehicles", index, 80)),
        }

    return Table(
        "transport.road_transport_licence",
        "licence_no",
        Place("transport_drop", "dlysxkz_20260101.xlsx", sheet="道路运输经营许可证"),
        columns(
            _listing(
                "证照标识 证照种类 许可证编号 业户名称 证件类型 证件号码 核发机关 核发机关代码 "
                "核发日期 有效期止 许可证状态 行政区划",
                "%Y-%m-%d",
                "business_scope 经营范围\nvehicle_count 车辆数 integer",
            )
        ),
        # A spreadsheet that people keep by hand stays small, whatever the size of the city.
        city.share(50, most=20_000),
        _add(_common(city, kind), more),
        _faults(faults.null_spelling("business_scope", nullable=True)),
    )


def medical_licence(city: City) -> Table:
    """Medical licences, as the health department's service answers them."""
    kind = LicenceKind("medical_licence", "006", "YLJG", 5, _HEALTH, _enterprise_holder(city))

    def more(index: Index) -> dict[str, pa.Array]:
        rooms = ("内科；外科；妇产科；儿科", "口腔科", "中医科", "眼科；耳鼻咽喉科", "康复医学科")
        return {
            "departments": names.chosen(rooms, city.dice.below("medical.rooms", index, 5)),
            "bed_count": pa.array(city.dice.below("medical.beds", index, 800)),
        }

    return Table(
        "health.medical_licence",
        "licence_no",
        Place("health_api", "medical_licences"),
        columns(
            _listing(
                "licenceIdentifier licenceType licenceNo orgName orgIdType orgIdNo issuer "
                "issuerCode issueDate expiryDate licenceStatus areaCode",
                "%Y-%m-%d",
                "departments departments\nbed_count bedCount integer",
            )
        ),
        city.share(50),
        _add(_common(city, kind), more),
        _faults(faults.extra_column("remark")),
    )
