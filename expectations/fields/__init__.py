"""The field's own Great Expectations classes, and the metrics that they ask for.

Ordinary expectations: any Great Expectations context that has imported this package can load and
run a suite of them. Separate from everything else because importing Great Expectations takes
seconds; ``expectations.suite`` imports this package when it is first needed.
"""

from collections.abc import Mapping

from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.expectation import Expectation

from expectations.fields import columns, deliveries, identifiers, rows
from expectations.fields.base import Remembering as Remembering

OWN: Mapping[str, type[Expectation]] = {
    name: kind
    for module in (identifiers, columns, rows, deliveries)
    for name, kind in vars(module).items()
    if name.startswith("Expect") and kind.__module__ == module.__name__
}
"""Our own classes by name, in the order of the reference page."""

CLASSES: Mapping[str, type[Expectation]] = {
    **OWN,
    ExpectColumnValuesToNotBeNull.__name__: ExpectColumnValuesToNotBeNull,
}
"""Every class that a suite of ours may have."""
