"""Rules of the registers: departments with their credit codes, resource codes, lists, systems."""

from collections.abc import Iterator

from catalog.faults import Finding, KeyPath
from catalog.identifiers import check_organisation_code, check_uscc
from catalog.kinds import Kind
from catalog.model import CatalogView, Department, System
from catalog.wording import shown

_REGIONS = "region"
_ORGANISATION_PART = slice(8, 17)


def credit_codes(catalog: CatalogView) -> Iterator[Finding]:
    """A department's credit code passes its own check, and that of the code inside it."""
    first: dict[str, str] = {}
    for department in catalog.departments.values():
        code = department.uscc
        if not (check_uscc(code) and check_organisation_code(code[_ORGANISATION_PART])):
            yield _department(
                department,
                "uscc",
                "CAT_USCC_INVALID",
                found=shown(code),
                expected="18 characters whose check characters are right (GB 32100, GB 11714)",
                remedy="copy the code from the registration certificate",
            )
        elif code in first:
            yield _department(
                department,
                "uscc",
                "CAT_USCC_DUPLICATE",
                found=f"{shown(code)}, the code of `{first[code]}`",
                expected="a code of its own",
                remedy="correct the code of one of the two",
            )
        first.setdefault(code, department.id)


def regions(catalog: CatalogView) -> Iterator[Finding]:
    """A department belongs to a region of the code list, if the city keeps one."""
    codes = catalog.code_lists.get(_REGIONS)
    for department in catalog.departments.values() if codes else ():
        if codes and department.region_code not in codes.codes:
            yield _department(
                department,
                "region_code",
                "CAT_CODE_UNKNOWN",
                found=shown(department.region_code),
                expected=f"a code of `{_REGIONS}`",
                remedy="correct the code, or add it to code_lists/region.yaml",
            )


def resource_codes(catalog: CatalogView) -> Iterator[Finding]:
    """A resource code names one entry (guide no.3)."""
    first: dict[str, str] = {}
    for entry in catalog.entries.values():
        if entry.resource_code in first:
            yield Finding(
                Kind.ENTRY,
                entry.id,
                ("resource_code",),
                "CAT_RESOURCE_CODE_DUPLICATE",
                found=f"{shown(entry.resource_code)}, the code of {first[entry.resource_code]}",
                expected="a code of its own",
                remedy="give the entry the next free sequence code behind the `/`",
                other=(Kind.ENTRY, first[entry.resource_code], ("resource_code",)),
            )
        first.setdefault(entry.resource_code, entry.id)


def empty_lists(catalog: CatalogView) -> Iterator[Finding]:
    """A code list has codes."""
    for codes in catalog.code_lists.values():
        if not codes.codes:
            yield Finding(
                Kind.CODE_LIST,
                codes.id,
                ("codes",),
                "CAT_VALUE_MISSING",
                found="no code",
                expected="at least one code and its name",
                remedy="fill the list in, or delete it",
            )


def periods(catalog: CatalogView) -> Iterator[Finding]:
    """A period is one of a code of its list, and does not end before it begins."""
    for codes in catalog.code_lists.values():
        for code, period in codes.periods.items():
            first, last = period.since, period.until
            wrong = first is not None and last is not None and last < first
            if code in codes.codes and not wrong:
                continue
            yield Finding(
                Kind.CODE_LIST,
                codes.id,
                ("periods", code),
                "CAT_PERIOD_WRONG" if wrong else "CAT_CODE_UNKNOWN",
                found=f"from {first} to {last}" if wrong else shown(code),
                expected="a last day not before the first" if wrong else f"a code of `{codes.id}`",
                remedy="correct the days" if wrong else "correct the code, or add it to the list",
            )


def systems(catalog: CatalogView) -> Iterator[Finding]:
    """A docked system belongs to a known department, and its closed hours end after they begin."""
    for system in catalog.systems.values():
        if system.department not in catalog.departments:
            yield _system(
                system,
                ("department",),
                "CAT_DEPARTMENT_UNKNOWN",
                found=shown(system.department),
                expected="a department of departments.yaml",
                remedy="correct the name, or add the department with its credit code",
                other=(Kind.DEPARTMENT, system.department, ()),
            )
        for i, hours in enumerate(system.closed):
            if hours.begins >= hours.ends:
                yield _system(
                    system,
                    ("closed", i, "ends"),
                    "CAT_HOURS_REVERSED",
                    found=f"{hours.begins} to {hours.ends}",
                    expected="an end after the beginning, on the same day",
                    remedy="write hours over midnight as two",
                )


def _system(
    system: System,
    path: KeyPath,
    code: str,
    *,
    found: str,
    expected: str,
    remedy: str,
    other: tuple[Kind, str, KeyPath] | None = None,
) -> Finding:
    return Finding(Kind.SYSTEM, system.id, path, code, found, expected, remedy, other)


def _department(
    department: Department, key: str, code: str, *, found: str, expected: str, remedy: str
) -> Finding:
    return Finding(Kind.DEPARTMENT, department.id, (key,), code, found, expected, remedy)


RULES = (credit_codes, regions, resource_codes, empty_lists, periods, systems)
