"""What the service hall keeps beside its system: form files, its own guides, supplement notices.

The forms are workbooks; the two lists are CSV, as a clerk exports them. With faults two guides of
the hall say something else than the department's, one blank form does not open, and two notices ask
for what no guide asks for.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import openpyxl

from example import codes
from example.guides import FORMS, MATERIALS, second_material, service_guide
from example.services import approval_cases
from example.world import City

FOLDER = "hall"
FORMS_FOLDER, GUIDES_FILE, NOTICES_FILE = "forms", "window_guides.csv", "supplement_notices.csv"
BROKEN_FORM = FORMS["委托书"][0]
OLD_FEES = "fees：按窗口旧版公示。"
NOT_ASKED_FOR = "无犯罪记录证明"
NOTICES = 40

_ELEMENTS = ("handling_item_code", "implementation_code", "materials", "time_limits", "fees")


def write(folder: Path, city: City, *, faults: bool) -> None:
    """Write the forms and both lists below ``folder``; what lies there is replaced."""
    (folder / FORMS_FOLDER).mkdir(parents=True, exist_ok=True)
    for material, names in FORMS.items():
        for name, filled in zip(names, ("", "张三（样例）"), strict=True):
            _write_form(folder / FORMS_FOLDER / name, material, filled)
    if faults:
        (folder / FORMS_FOLDER / BROKEN_FORM).write_bytes(b"PK\3\4 cut off")
    _write_csv(folder / GUIDES_FILE, _ELEMENTS, _guides(city, faults=faults))
    head = ("case_no", "implementation_code", "material_name")
    _write_csv(folder / NOTICES_FILE, head, _notices(city, faults=faults))


def _write_form(path: Path, title: str, filled: str) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in ([title], ["申请人", filled], ["申请事项", ""], ["日期", ""]):
        sheet.append(row)
    book.save(path)


def _guides(city: City, *, faults: bool) -> list[list[str | None]]:
    guides = service_guide(city)
    facts = guides.facts(np.arange(guides.rows))
    rows = [list(row) for row in zip(*(facts[name].to_pylist() for name in _ELEMENTS), strict=True)]
    for at in (len(rows) // 3, len(rows) // 2) if faults else ():
        rows[at][_ELEMENTS.index("fees")] = OLD_FEES
    return rows


def _notices(city: City, *, faults: bool) -> list[list[str]]:
    cases = approval_cases(city)
    index = np.arange(NOTICES)
    items = cases.items.codes[:, cases.item(index)]
    wanted = [MATERIALS[n] for n in second_material(city, index % len(cases.items.business))]
    for at in (7, 21) if faults else ():
        wanted[at] = NOT_ASKED_FOR
    columns = codes.strings(cases.numbers(index)), codes.strings(items), wanted
    return [list(row) for row in zip(*(map(str, column) for column in columns), strict=True)]


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
