"""What standardisation does to an item, said in words: for traces and for reviewers."""

from catalog.model import DataItem
from catalog.vocabulary import DataType
from transforms.standard import spelling

_TYPES = {
    DataType.DATE: "dates in any of the known forms become ISO dates",
    DataType.TIMESTAMP: "local times become UTC",
    DataType.MONEY: "thousands separators go, two decimals are kept",
    DataType.DECIMAL: "thousands separators go",
    DataType.INTEGER: "thousands separators go",
    DataType.BOOLEAN: "the words for yes and no become true and false",
}


def rules(item: DataItem) -> tuple[str, ...]:
    """The rules that apply to an item, in the order in which they are applied."""
    spelt = spelling(item)
    found = ["blanks at both ends go", "words for 'no value' become no value"]
    if spelt.fold:
        found.append("full-width characters become half-width")
    if spelt.upper:
        found.append("letters become capitals")
    if item.type in _TYPES:
        found.append(_TYPES[item.type])
    if item.open_ended:
        found.append("9999-9-9 becomes 9999-12-31")
    return tuple(found)
