"""The kinds of objects that a catalog holds, and the model of each."""

from collections.abc import Mapping
from enum import StrEnum

from catalog.model import (
    CatalogEntry,
    CodeList,
    DataElement,
    Department,
    Model,
    RuleProfile,
    Subject,
    System,
)


class Kind(StrEnum):
    """Kinds of objects; the value is the attribute of the catalog that holds them."""

    ENTRY = "entries"
    ELEMENT = "elements"
    DEPARTMENT = "departments"
    CODE_LIST = "code_lists"
    SUBJECT = "subjects"
    PROFILE = "profiles"
    SYSTEM = "systems"


MODELS: Mapping[Kind, type[Model]] = {
    Kind.ENTRY: CatalogEntry,
    Kind.ELEMENT: DataElement,
    Kind.DEPARTMENT: Department,
    Kind.CODE_LIST: CodeList,
    Kind.SUBJECT: Subject,
    Kind.PROFILE: RuleProfile,
    Kind.SYSTEM: System,
}
