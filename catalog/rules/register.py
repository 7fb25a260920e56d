"""Rules of the registers: departments with their credit codes, resource codes, code lists."""

from collections.abc import Iterator

from catalog.faults import Finding
from catalog.identifiers import check_organisation_code, check_uscc
from catalog.kinds import Kind
from catalog.model import CatalogView, Department
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


def _department(
    department: Department, key: str, code: str, *, found: str, expected: str, remedy: str
) -> Finding:
    return Finding(Kind.DEPARTMENT, department.id, (key,), code, found, expected, remedy)


RULES = (credit_codes, regions, resource_codes, empty_lists)
