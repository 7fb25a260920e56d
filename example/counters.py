"""The tables around cases: windows, tickets of the hotline, payments and deliveries."""

import numpy as np
import pyarrow as pa

from example import codes, faults, names
from example.chance import Index, spread
from example.services import WINDOWS_EACH, Cases, approval_cases, only_where, window_ids
from example.table import Place, Table, columns
from example.world import LAST_DAY, City, Offices, day_numbers, region_texts, seconds

_WINDOW_KINDS = (
    "legal_person", "natural_person", "real_estate", "advice", "general", "special", "theme",
    "assisted", "unresolved",
)  # fmt: skip
_HALLS = (("hall", "政务服务中心"), ("centre", "便民服务中心"), ("station", "代办点"))
_SIGNED_FOR = 2
"""Position of 已签收 among the statuses of a delivery."""
_CHANNELS = ("hotline", "web", "lingxi", "app", "window")


def service_window(_: City) -> Table:
    """The register of windows."""

    def facts(index: Index) -> dict[str, pa.Array]:
        region, number = index % len(names.REGIONS), index // len(names.REGIONS)
        hall = number // len(_WINDOW_KINDS) % len(_HALLS)
        titles = tuple(f"{place}{title}" for place in names.REGIONS.values() for _, title in _HALLS)
        return {
            "window_id": window_ids(index),
            "window_kind": names.chosen(_WINDOW_KINDS, number % len(_WINDOW_KINDS)),
            "hall_kind": names.chosen(tuple(kind for kind, _ in _HALLS), hall),
            "hall_name": names.chosen(titles, region * len(_HALLS) + hall),
            "region_code": region_texts(region),
        }

    return Table(
        "service_hall.service_window",
        "window_id",
        Place("service_hall_api", "service_windows"),
        columns("""
            window_id windowId
            window_kind windowKind
            hall_kind hallKind
            hall_name hallName
            region_code areaCode
        """),
        len(names.REGIONS) * WINDOWS_EACH,
        facts,
        (faults.duplicate("window_id"), faults.unknown_code("window_kind", "drive_in")),
    )


def service_ticket(city: City) -> Table:
    """Consultations, appeals, complaints, reports and suggestions of all channels."""
    cases = approval_cases(city)

    def facts(index: Index) -> dict[str, pa.Array]:
        dice = city.dice
        case = spread(index % cases.count, cases.count)
        day = LAST_DAY - dice.below("ticket.day", index, 600)
        offices = Offices("行政审批局", 6).names
        about = pa.array(dice.often("ticket.about", index, 60))
        mark = [codes.repeated("GD", len(index)), codes.digits(index + 1, 12)]
        words = ("咨询办理条件", "反映等候时间", "建议增加窗口", "咨询办理进度")
        return {
            "ticket_no": codes.strings(np.concatenate(mark)),
            "ticket_kind": names.chosen(
                ("1", "2", "3", "4", "5"), dice.below("ticket.kind", index, 5)
            ),
            "channel": names.chosen(_CHANNELS, dice.below("ticket.channel", index, 5)),
            "handling_org_name": names.chosen(
                offices, dice.below("ticket.org", index, len(offices))
            ),
            "case_no": only_where(about, codes.strings(cases.numbers(case))),
            "received_at": seconds(day, 30_600 + dice.below("ticket.second", index, 28_000)),
            "due_on": day_numbers(day + 7),
            "ticket_result": names.chosen(
                ("1", "2", "3"), np.digitize(dice.below("ticket.result", index, 100), (85, 92))
            ),
            "content": names.chosen(words, dice.below("ticket.words", index, 4)),
        }

    return Table(
        "service_hall.service_ticket",
        "ticket_no",
        Place("service_hall_api", "service_tickets"),
        columns("""
            ticket_no ticketNo
            ticket_kind ticketKind
            channel channel
            handling_org_name handlingOrg
            case_no projectNo
            received_at receivedTime datetime
            due_on dueDate date
            ticket_result result
            content content
        """),
        city.share(20),
        facts,
        (
            faults.duplicate("ticket_no"),
            faults.unknown_code("channel", "fax"),
            faults.unknown_code("ticket_kind", "9"),
            faults.impossible_date("due_on"),
            faults.null_spelling("content", nullable=True),
        ),
    )


def _charged_places(cases: Cases) -> Index:
    """Places among the business items of those that are charged."""
    return np.flatnonzero(cases.items.is_charged[cases.items.business])


def case_payment(city: City) -> Table:
    """One payment for every case whose item is charged, but for the latest cases."""
    cases = approval_cases(city)
    charged, turn = _charged_places(cases), len(cases.items.business)

    def facts(index: Index) -> dict[str, pa.Array]:
        case = index // len(charged) * turn + charged[index % len(charged)]
        status = np.digitize(city.dice.below("payment.status", index, 100), (5, 97))
        paid = seconds(cases.applied_day(case), cases.accepted_second(city, case) + 600)
        mark = [codes.repeated("JF", len(index)), codes.digits(index + 1, 12)]
        return {
            "payment_no": codes.strings(np.concatenate(mark)),
            "case_no": codes.strings(cases.numbers(case)),
            "amount": pa.array(10 * (1 + city.dice.below("payment.amount", index, 80))),
            "payment_status": names.chosen(("1", "2", "3"), status),
            "paid_at": only_where(pa.array(status > 0), paid),
        }

    return Table(
        "administrative_approval.case_payment",
        "payment_no",
        Place("administrative_approval_db", "up_pro_payment", typed=True),
        columns("""
            payment_no pay_no
            case_no project_no
            amount pay_amount number
            payment_status pay_status
            paid_at pay_time datetime
        """),
        cases.count // turn * len(charged),
        facts,
        (
            faults.duplicate("payment_no"),
            faults.unknown_code("payment_status", "8"),
            faults.missing("amount"),
            faults.no_such("case_no"),
        ),
    )


def case_delivery(city: City) -> Table:
    """Deliveries of the results of one accepted case in five."""
    cases = approval_cases(city)

    def facts(index: Index) -> dict[str, pa.Array]:
        case = cases.accepted(index * 5)
        day = cases.applied_day(case) + 3 + cases.items.promised_days[cases.item(case)]
        second = 32_000 + city.dice.below("delivery.second", index, 20_000)
        status = city.dice.below("delivery.status", index, 4)
        mark = [codes.repeated("EMS", len(index)), codes.digits(index + 1, 12)]
        return {
            "case_no": codes.strings(cases.numbers(case)),
            "delivery_no": codes.strings(np.concatenate(mark)),
            "delivery_status": names.chosen(("1", "2", "3", "4"), status),
            "sent_at": seconds(day, second),
            "received_at": only_where(pa.array(status == _SIGNED_FOR), seconds(day + 2, second)),
        }

    return Table(
        "administrative_approval.case_delivery",
        "case_no",
        Place("administrative_approval_db", "up_pro_logistics", typed=True),
        columns("""
            case_no project_no
            delivery_no mail_no
            delivery_status mail_status
            sent_at mail_time datetime
            received_at sign_time datetime
        """),
        cases.accepted_count // 5,
        facts,
        (
            faults.duplicate("case_no"),
            faults.missing("delivery_no"),
            faults.unknown_code("delivery_status", "8"),
        ),
    )
