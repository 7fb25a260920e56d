"""Administrative divisions by their codes (GB/T 2260): levels, and what lies in what."""


def level_of_region(code: str) -> str:
    """Level of a division: ``province``, ``city`` or ``district``."""
    if code.endswith("0000"):
        return "province"
    return "city" if code.endswith("00") else "district"


def region_prefix(code: str) -> str:
    """What all codes in a division begin with: ``320200`` -> ``3202``."""
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


def covers_region(outer: str, inner: str) -> bool:
    """Whether a division lies in another one or is it."""
    return inner.startswith(region_prefix(outer))
