"""The tables that say who there is: enterprises, residents, social organisations, taxpayers."""

from functools import partial

import numpy as np
import pyarrow as pa

from example import codes, faults, names
from example.chance import Index, spread
from example.faults import FaultKind
from example.table import Place, Table, columns
from example.world import (
    LAST_DAY,
    NO_END,
    City,
    day_numbers,
    region_texts,
)

_CAPITAL = (100_000, 300_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 50_000_000)


def _flat(text: str, index: Index) -> pa.Array:
    return names.chosen((text,), np.zeros(len(index), np.int64))


def _capital(city: City, salt: str, index: Index) -> pa.Array:
    steps = np.array(_CAPITAL)[city.dice.below(f"{salt}.capital", index, len(_CAPITAL))]
    return pa.array(steps + city.dice.below(f"{salt}.extra", index, 90) * 1_000)


def _ends(city: City, salt: str, index: Index, start: Index) -> Index:
    """Last days ten to thirty years after the start; six in ten have no end."""
    years = 10 * (1 + city.dice.below(f"{salt}.years", index, 3))
    ends: Index = np.where(city.dice.often(f"{salt}.open", index, 60), NO_END, start + years * 365)
    return ends


def _statuses(city: City, salt: str, index: Index) -> pa.Array:
    weight = city.dice.below(f"{salt}.status", index, 100)
    return names.chosen(("1", "2", "4"), np.digitize(weight, (88, 93)))


def _enterprise_facts(city: City, index: Index) -> dict[str, pa.Array]:
    region = city.enterprise_region(index)
    founded = city.founded(index)
    waited = city.dice.below("enterprise.approved", index, 10_000) * (LAST_DAY - founded)
    trade = city.dice.below("enterprise.industry", index, 19)
    return {
        "uscc": codes.strings(city.enterprise_codes(index)),
        "name": city.enterprise_names(index),
        "registrar": _flat("9", index),
        "legal_representative": city.resident_names(
            city.dice.below("enterprise.representative", index, city.size)
        ),
        "registered_capital": _capital(city, "enterprise", index),
        "established_on": day_numbers(founded),
        "term_end_on": day_numbers(_ends(city, "enterprise", index, founded)),
        "approved_on": day_numbers(founded + waited // 10_000),
        "region_code": region_texts(region),
        "industry_code": names.chosen(tuple("ABCDEFGHIJKLMNOPQRS"), trade),
        "status": _statuses(city, "enterprise", index),
        "address": names.addresses(city.dice, "enterprise", index, region),
    }


def enterprise_registration(city: City) -> Table:
    """Enterprises, as the registration system of market regulation keeps them."""
    return Table(
        "market_regulation.enterprise_registration",
        "uscc",
        Place("market_regulation_db", "e_baseinfo", typed=True),
        columns("""
            uscc uniscid
            name entname
            registrar reg_dept
            legal_representative lerep
            registered_capital regcap number
            established_on estdate date
            term_end_on opto date
            approved_on apprdate date
            region_code domdistrict
            industry_code industryphy
            status regstate
            address dom
        """),
        city.size,
        partial(_enterprise_facts, city),
        (
            faults.check_digit("uscc"),
            faults.respelt(FaultKind.LOWER_CASE, "uscc"),
            faults.respelt(FaultKind.FULL_WIDTH, "uscc"),
            faults.duplicate("uscc"),
            faults.missing("name"),
            faults.null_spelling("legal_representative", nullable=False),
            faults.null_spelling("address", nullable=True),
            faults.unknown_code("region_code", "329999"),
            faults.unknown_code("industry_code", "Z"),
            faults.wrong_order("established_on", "term_end_on"),
            faults.out_of_scope("registrar", "1"),
        ),
    )


def _resident_facts(city: City, index: Index) -> dict[str, pa.Array]:
    ids, born, order = city.resident_facts(index)
    region = city.dice.below("resident.region", index, len(names.REGIONS))
    return {
        "resident_id_no": codes.strings(ids),
        "name": city.resident_names(index),
        "sex": names.chosen(("2", "1"), order % 2),
        "born_on": day_numbers(born),
        "region_code": region_texts(region),
        "address": names.addresses(city.dice, "resident", index, region),
        "mobile_phone": city.mobile_phones("resident.phone", index),
    }


def resident(city: City) -> Table:
    """Residents, as the police's population system keeps them."""
    return Table(
        "public_security.resident",
        "resident_id_no",
        Place("public_security_db", "t_czrk", typed=True),
        columns("""
            resident_id_no gmsfhm
            name xm
            sex xb
            born_on csrq date %Y%m%d
            region_code hjxzqh
            address hjdz
            mobile_phone lxdh
        """),
        city.size,
        partial(_resident_facts, city),
        (
            faults.check_digit("resident_id_no"),
            faults.respelt(FaultKind.FULL_WIDTH, "resident_id_no"),
            faults.duplicate("resident_id_no"),
            faults.missing("name"),
            faults.unknown_code("sex", "7"),
            faults.impossible_date("born_on"),
            faults.no_end("born_on", open_ended=False),
            faults.null_spelling("address", nullable=False),
            faults.null_spelling("mobile_phone", nullable=True),
            faults.respelt(FaultKind.FULL_WIDTH, "mobile_phone"),
        ),
    )


def _society_facts(city: City, index: Index) -> dict[str, pa.Array]:
    region = city.society_region(index)
    founded = LAST_DAY - 30 - city.dice.below("society.founded", index, 9_000)
    count = len(names.REGIONS)
    boards = tuple(f"{name}教育局" for name in names.REGIONS.values())
    return {
        "uscc": codes.strings(city.society_codes(index)),
        "name": names.society_names(city.dice, "society", index),
        "registrar": _flat("5", index),
        "legal_representative": city.resident_names(
            city.dice.below("society.representative", index, city.size)
        ),
        "registered_capital": _capital(city, "society", index),
        "established_on": day_numbers(founded),
        "term_end_on": day_numbers(_ends(city, "society", index, founded)),
        "region_code": region_texts(region),
        "status": _statuses(city, "society", index),
        "address": names.addresses(city.dice, "society", index, region),
        "supervising_org": names.chosen(boards, region % count),
        "contact_phone": city.mobile_phones("society.phone", index),
    }


def social_organisation(city: City) -> Table:
    """Social organisations, as the civil affairs department keeps them."""
    return Table(
        "civil_affairs.social_organisation",
        "uscc",
        Place("civil_affairs_db", "shzz_djxx"),
        columns("""
            uscc tyshxydm
            name shzzmc
            registrar djglbm
            legal_representative fddbr
            registered_capital kbzj number
            established_on clrq date %Y-%m-%d 00:00:00
            term_end_on zsyxqz date %Y年%m月%d日
            region_code xzqhdm
            status djzt
            address zs
            supervising_org ywzgdw
            contact_phone lxdh
        """),
        city.share(50),
        partial(_society_facts, city),
        (
            faults.check_digit("uscc"),
            faults.respelt(FaultKind.LOWER_CASE, "uscc"),
            faults.duplicate("uscc"),
            faults.missing("name"),
            faults.unknown_code("status", "8"),
            faults.impossible_date("established_on"),
            faults.no_end("term_end_on"),
            faults.no_end("established_on", open_ended=False),
            faults.null_spelling("supervising_org", nullable=True),
            faults.null_spelling("legal_representative", nullable=False),
            faults.respelt(FaultKind.THOUSANDS_COMMAS, "registered_capital"),
            faults.wrong_order("established_on", "term_end_on"),
            faults.extra_column("djzs"),
        ),
    )


def taxpayer_enterprise(city: City, index: Index) -> Index:
    """The enterprise behind each taxpayer."""
    return spread(index, city.size)


def _taxpayer_facts(city: City, index: Index) -> dict[str, pa.Array]:
    who = taxpayer_enterprise(city, index)
    start = city.founded(who) + 15
    offices = tuple(f"国家税务总局{name}税务局" for name in names.REGIONS.values())
    gone = city.dice.often("taxpayer.gone", index, 5)
    grade = city.dice.below("taxpayer.grade", index, 5)
    paid = city.dice.below("taxpayer.paid", index, 9_000_000) + 1_000
    return {
        "uscc": codes.strings(city.enterprise_codes(who)),
        "taxpayer_name": city.enterprise_names(who),
        "tax_credit_grade": names.chosen(("A", "B", "M", "C", "D"), grade),
        "credit_year": pa.array(np.full(len(index), 2024)),
        "tax_office": names.chosen(offices, city.enterprise_region(who)),
        "tax_registered_on": day_numbers(start),
        "deregistered_on": pa.compute.if_else(
            pa.array(gone), day_numbers((start + LAST_DAY) // 2), pa.scalar(None, pa.date32())
        ),
        "paid_tax_amount": pa.array(paid),
    }


def taxpayer(city: City) -> Table:
    """Enterprises as taxpayers; their names are copies from the registration."""
    return Table(
        "taxation.taxpayer",
        "uscc",
        Place("taxation_drop", "nsrxx_20260101.csv", encoding="utf-8-sig"),
        columns("""
            uscc 纳税人识别号
            taxpayer_name 纳税人名称
            tax_credit_grade 信用级别
            credit_year 评价年度 integer
            tax_office 主管税务机关
            tax_registered_on 登记日期 date %Y/%m/%d
            deregistered_on 注销日期 date %Y/%m/%d
            paid_tax_amount 上年入库税额 number
        """),
        min(city.size, city.share(2)),
        partial(_taxpayer_facts, city),
        (
            faults.check_digit("uscc"),
            faults.respelt(FaultKind.LOWER_CASE, "uscc"),
            faults.respelt(FaultKind.FULL_WIDTH, "uscc"),
            faults.duplicate("uscc"),
            faults.unknown_code("tax_credit_grade", "E"),
            faults.missing("tax_registered_on"),
            faults.impossible_date("tax_registered_on"),
            faults.no_end("deregistered_on", open_ended=False),
            faults.null_spelling("tax_office", nullable=True),
            faults.respelt(FaultKind.THOUSANDS_COMMAS, "paid_tax_amount"),
            faults.differing_copy("taxpayer_name"),
            faults.extra_column("办税员"),
        ),
    )
