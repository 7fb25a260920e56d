"""The tables of service items and cases, as the departments' systems keep them."""

from functools import partial

import numpy as np
import pyarrow as pa

from example import codes, faults, names
from example.chance import Index
from example.faults import FaultKind
from example.guides import MATERIALS, second_material
from example.licences import business_licence_kind, licence_identifiers
from example.services import (
    approval_cases,
    approval_items,
    labour_cases,
    labour_items,
    only_where,
)
from example.table import Place, Table, columns
from example.world import NO_END, City, day_numbers, seconds

_ITEM_FAULTS = (
    faults.check_digit("org_uscc"),
    faults.respelt(FaultKind.LOWER_CASE, "implementation_code"),
    faults.respelt(FaultKind.FULL_WIDTH, "basic_code"),
    faults.duplicate("implementation_code"),
    faults.missing("item_name"),
    faults.unknown_code("item_type", "77"),
    faults.unknown_code("online_depth", "0"),
    faults.null_spelling("body_nature", nullable=True),
    faults.null_spelling("org_name", nullable=False),
    faults.unknown_code("item_level", "4"),
    faults.unknown_code("service_theme", "X1"),
    faults.null_spelling("legal_basis", nullable=False),
)

_CASE_FAULTS = (
    faults.duplicate("case_no"),
    faults.missing("applicant_name"),
    faults.null_spelling("item_name", nullable=False),
    faults.null_spelling("contact_phone", nullable=True),
    faults.unknown_code("region_code", "329999"),
    faults.expired_code("region_code", "320202"),
    faults.unknown_code("applicant_id_type", "888"),
    faults.respelt(FaultKind.FULL_WIDTH, "contact_phone"),
    faults.respelt(FaultKind.LOWER_CASE, "implementation_code"),
    faults.wrong_order("applied_at", "accepted_at"),
    faults.unknown_code("channel", "fax"),
)

_RESULTS = ("1", "2", "3", "4")
_REFUSED = 3
"""Position of 不予许可 in ``_RESULTS``; a refusal has neither name nor number."""


def service_item(city: City) -> Table:
    """Service items of the approval system."""
    items = approval_items(city)
    return Table(
        "administrative_approval.service_item",
        "implementation_code",
        Place("administrative_approval_db", "qlt_qlsx", typed=True),
        columns("""
            implementation_code task_code
            basic_code catalog_code
            item_name task_name
            item_type task_type
            exercise_level use_level
            org_name dept_name
            org_uscc dept_code
            body_nature dept_nature
            service_object serve_object
            case_type project_type
            statutory_days anticipate_day integer
            promised_days promise_day integer
            online_depth internet_depth
            is_charged is_fee boolean
            region_code area_code
            handling_system handle_system
            item_level task_level
            parent_code parent_code
            legal_basis by_law
            public_service_field public_field
            service_theme theme_code
            visit_count limit_num integer
            online_steps online_steps
        """),
        items.count,
        lambda index: items.facts(city, index),
        (*_ITEM_FAULTS, faults.extra_column("task_version")),
    )


def hr_service_item(city: City) -> Table:
    """Service items of the labour department."""
    items = labour_items(city)
    return Table(
        "human_resources.hr_service_item",
        "implementation_code",
        Place("human_resources_db", "rs_fwsx"),
        columns("""
            implementation_code ssbm
            basic_code jbbm
            item_name sxmc
            item_type sxlx
            exercise_level xscj
            org_name ssztmc
            org_uscc ssztdm
            body_nature ssztxz
            service_object fwdx
            case_type bjlx
            statutory_days fdsx integer
            promised_days cnsx integer
            online_depth wsblsd
            is_charged sfsf boolean
            region_code xzqh
            handling_system blxt
            item_level sxcc
            parent_code sjsxbm
            legal_basis ssyj
            public_service_field ggfwly
            service_theme fwzt
            visit_count pdcs integer
            online_steps wsfwhj
        """),
        items.count,
        lambda index: items.facts(city, index),
        _ITEM_FAULTS,
    )


def approval_case(city: City) -> Table:
    """Applications in the approval system."""
    cases = approval_cases(city)
    return Table(
        "administrative_approval.approval_case",
        "case_no",
        Place("administrative_approval_db", "up_pro_accept", typed=True),
        columns("""
            case_no project_no
            implementation_code task_code
            item_name task_name
            applicant_name applyer_name
            applicant_id_type applyer_page_type
            applicant_id_no applyer_page_code
            contact_phone contact_mobile
            applied_at apply_date datetime
            accepted_at accept_date datetime
            promised_on promise_date date
            case_type project_type
            region_code area_code
            handling_system handle_system
            channel apply_channel
            window_id window_no
            agent_name agent_name
            agent_id_no agent_page_code
            package_code yjs_code
        """),
        cases.count,
        lambda index: cases.facts(city, index),
        (*_CASE_FAULTS, faults.out_of_scope("handling_system", "human_resources")),
    )


def hr_case(city: City) -> Table:
    """Applications in the labour department's system."""
    cases = labour_cases(city)
    return Table(
        "human_resources.hr_case",
        "case_no",
        Place("human_resources_db", "rs_bjxx"),
        columns("""
            case_no bjbh
            implementation_code ssbm
            item_name sxmc
            applicant_name sqrmc
            applicant_id_type sqrzjlx
            applicant_id_no sqrzjhm
            contact_phone lxdh
            applied_at sqsj datetime
            accepted_at slsj datetime
            promised_on cnbjrq date %Y%m%d
            case_type bjlx
            region_code xzqh
            handling_system blxt
            channel sqqd
            window_id ckbh
            agent_name dlrxm
            agent_id_no dlrzjhm
            package_code yjsbm
        """),
        cases.count,
        lambda index: cases.facts(city, index),
        (
            *_CASE_FAULTS,
            faults.impossible_date("applied_at"),
            faults.impossible_date("promised_on"),
            faults.no_end("promised_on", open_ended=False),
        ),
    )


def case_material(city: City) -> Table:
    """Two materials for every case of the approval system."""
    cases, licence = approval_cases(city), business_licence_kind(city)

    def facts(index: Index) -> dict[str, pa.Array]:
        case, number = np.divmod(index, 2)
        numbers = cases.numbers(case)
        quoted = city.dice.below("material.licence", index, city.size)
        is_quoted = city.dice.often("material.quoted", index, 30)
        second = second_material(city, case % len(cases.items.business))
        kind = np.where(is_quoted, 4, city.dice.below("material.kind", index, 4))
        sent = cases.applied_second(city, case)
        return {
            "material_no": codes.strings(np.concatenate([numbers, codes.digits(number + 1, 2)])),
            "case_no": codes.strings(numbers),
            "material_name": names.chosen(MATERIALS, np.where(number == 0, 0, second)),
            "material_kind": names.chosen(("1", "2", "3", "4", "5"), kind),
            "copies": pa.array(1 + city.dice.below("material.copies", index, 3)),
            "licence_identifier": only_where(
                pa.array(is_quoted), licence_identifiers(city, licence, quoted)
            ),
            "submitted_at": seconds(cases.applied_day(case), sent),
            **_seals(city, index, kind),
        }

    return Table(
        "administrative_approval.case_material",
        "material_no",
        Place("administrative_approval_db", "up_pro_material", typed=True),
        columns("""
            material_no row_guid
            case_no project_no
            material_name material_name
            material_kind attach_type
            copies amount integer
            licence_identifier certificate_id
            submitted_at collect_time datetime
            is_electronic is_electronic boolean
            seal_result seal_result
        """),
        cases.count * 2,
        facts,
        (
            faults.duplicate("material_no"),
            faults.missing("case_no"),
            faults.null_spelling("material_name", nullable=False),
            faults.null_spelling("licence_identifier", nullable=True),
            faults.unknown_code("material_kind", "7"),
            faults.unknown_code("seal_result", "maybe"),
            faults.beyond_guide("material_name", "无犯罪记录证明"),
        ),
    )


def _seals(city: City, index: Index, kind: Index) -> dict[str, pa.Array]:
    """Whether materials are electronic, and what verifying their signatures and seals gave."""
    electronic = pa.array(kind > 0)
    found = np.digitize(city.dice.below("material.seal", index, 100), (90, 94))
    results = names.chosen(("valid", "invalid", "unsigned"), found)
    return {"is_electronic": electronic, "seal_result": only_where(electronic, results)}


def case_process(city: City) -> Table:
    """Three steps for every accepted case of the approval system.

    The second of a few is an expert review of some days, a special procedure.
    """
    cases = approval_cases(city)

    def facts(index: Index) -> dict[str, pa.Array]:
        number, step = np.divmod(index, 3)
        case = cases.accepted(number)
        numbers, day = cases.numbers(case), cases.applied_day(case)
        is_special = city.dice.often("process.special", number, 2)
        reviewed = np.where(is_special, 86_400 * (1 + number % 5), 0)
        start = cases.accepted_second(city, case) + step * 86_400 + (step > 1) * reviewed
        took = 300 + city.dice.below("process.took", index, 20_000) + (step == 1) * reviewed
        kind = np.where(is_special & (step == 1), 3, step)
        words = ("同意", "材料齐全，予以受理", "符合法定条件")
        said = names.chosen(words, city.dice.below("process.opinion", index, 3))
        return {
            "process_no": codes.strings(np.concatenate([numbers, codes.digits(step + 1, 1)])),
            "case_no": codes.strings(numbers),
            "process_step": names.chosen(("1", "2", "3", "6"), kind),
            "handler_name": names.person_names(city.dice, "process.handler", index % 2_000),
            "started_at": seconds(day, start),
            "ended_at": seconds(day, start + took),
            "opinion": only_where(pa.array(city.dice.often("process.said", index, 70)), said),
        }

    return Table(
        "administrative_approval.case_process",
        "process_no",
        Place("administrative_approval_db", "up_pro_process", typed=True),
        columns("""
            process_no row_guid
            case_no project_no
            process_step process_name
            handler_name handle_user_name
            started_at event_start_time datetime
            ended_at event_end_time datetime
            opinion handle_explain
        """),
        cases.accepted_count * 3,
        facts,
        (
            faults.duplicate("process_no"),
            faults.missing("handler_name"),
            faults.null_spelling("case_no", nullable=False),
            faults.null_spelling("opinion", nullable=True),
            faults.unknown_code("process_step", "8"),
            faults.wrong_order("started_at", "ended_at"),
        ),
    )


def _result_facts(city: City, index: Index) -> dict[str, pa.Array]:
    cases = approval_cases(city)
    case = cases.accepted(index + index // 9)
    item = cases.item(case)
    decided = cases.applied_day(case) + 2 + cases.items.promised_days[item]
    kind = np.digitize(city.dice.below("result.kind", index, 100), (60, 80, 94))
    granted = pa.array(kind < _REFUSED)
    forever = city.dice.often("result.forever", index, 40)
    number = [codes.repeated("XSP", len(index)), codes.digits(index + 1, 10)]
    ends = day_numbers(np.where(forever, NO_END, decided + 1_825))
    office = cases.items.offices
    return {
        "case_no": codes.strings(cases.numbers(case)),
        "result_type": names.chosen(_RESULTS, kind),
        "result_name": only_where(granted, cases.items.names.take(pa.array(item))),
        "result_no": only_where(granted, codes.strings(np.concatenate(number))),
        "decided_on": day_numbers(decided),
        "valid_until": only_where(granted, ends),
        "org_uscc": names.chosen(office.codes, cases.items.region[item]),
        "is_delivered": pa.array(city.dice.often("result.delivered", index, 90)),
    }


def case_result(city: City) -> Table:
    """Results of nine in ten accepted cases of the approval system."""
    cases = approval_cases(city)

    return Table(
        "administrative_approval.case_result",
        "case_no",
        Place("administrative_approval_db", "up_pro_result", typed=True),
        columns("""
            case_no project_no
            result_type result_type
            result_name result_cetr_name
            result_no result_cetr_no
            decided_on result_date date
            valid_until valid_date date %Y-%m-%d
            org_uscc org_code
            is_delivered is_delivery_results boolean
        """),
        cases.accepted_count * 9 // 10,
        partial(_result_facts, city),
        (
            faults.check_digit("org_uscc"),
            faults.duplicate("case_no"),
            faults.missing("decided_on"),
            faults.unknown_code("result_type", "7"),
            faults.null_spelling("result_name", nullable=True),
            faults.impossible_date("valid_until"),
            faults.no_end("valid_until"),
            faults.wrong_order("decided_on", "valid_until"),
        ),
    )
