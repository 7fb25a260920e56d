"""A suite, and what a run found, as Great Expectations' own files and Data Docs, on request.

Data Docs are built when somebody asks and not each run: a site takes seconds, and a city has
hundreds of runs a day. The results come from the verdict, so the site holds counts and no value.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from expectations.plan import Check
from expectations.suite import great_expectations_classes, suite


class Outcome(Protocol):
    """What is told of a check's result; a ``CheckResult`` or the ledger's record of one."""

    @property
    def check_id(self) -> str:
        """Id of the check."""

    @property
    def counted(self) -> int:
        """Rows that the check applies to."""

    @property
    def failed(self) -> int:
        """Those of them that fail."""


def write_suite(checks: Sequence[Check], name: str, path: Path) -> None:
    """Write a suite as the JSON that ``ExpectationSuite(**json.load(file))`` reads."""
    found = suite(checks, name).to_json_dict()
    path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def build_docs(
    checks: Sequence[Check],
    name: str,
    folder: Path,
    *,
    run_id: str | None = None,
    decided_at: datetime | None = None,
    outcomes: Iterable[Outcome] = (),
) -> Path:
    """Build Data Docs of a suite, and of a run where one is given.

    Args:
        checks: The plan.
        name: Name of the suite: the entry's id.
        folder: Where the Great Expectations project is made or extended.
        run_id: The run; None: the suite alone.
        decided_at: When it was validated.
        outcomes: Its results; those of checks that are not in the plan are left out.

    Returns:
        The site's first page.
    """
    great_expectations_classes()
    import great_expectations  # noqa: PLC0415 - seconds

    folder.mkdir(parents=True, exist_ok=True)
    context: Any = great_expectations.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = {"globally": False}
    asked = suite(checks, name)
    context.suites.add_or_update(asked)
    if run_id is not None and decided_at is not None:
        _store(context, asked, run_id, decided_at, {one.check_id: one for one in outcomes})
    (page,) = context.build_data_docs().values()
    return Path(page.removeprefix("file://"))


def _store(
    context: Any, asked: Any, run_id: str, decided_at: datetime, outcomes: dict[str, Outcome]
) -> None:
    from great_expectations.core.expectation_validation_result import (  # noqa: PLC0415
        ExpectationSuiteValidationResult,
    )
    from great_expectations.core.run_identifier import RunIdentifier  # noqa: PLC0415
    from great_expectations.data_context.types.resource_identifiers import (  # noqa: PLC0415
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    run = RunIdentifier(run_name=run_id, run_time=decided_at)
    results = [
        _result(one, outcomes[one.meta["check_id"]])
        for one in asked.expectations
        if one.meta["check_id"] in outcomes
    ]
    right = sum(one.success for one in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": right,
        "unsuccessful_expectations": len(results) - right,
        "success_percent": 100 * right / len(results) if results else None,
    }
    batch = {"data_asset_name": asked.name, "batch_identifiers": {"run": run_id}}
    found = ExpectationSuiteValidationResult(
        success=right == len(results),
        results=results,
        suite_name=asked.name,
        statistics=statistics,
        meta={"run_id": run, "active_batch_definition": batch},
    )
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(asked.name),
        run_id=run,
        batch_identifier=asked.name,
    )
    context.validation_results_store.set(key, found)


def _result(expected: Any, outcome: Outcome) -> Any:
    from great_expectations.core.expectation_validation_result import (  # noqa: PLC0415
        ExpectationValidationResult,
    )

    share = 100 * outcome.failed / outcome.counted if outcome.counted else 0.0
    allowed = 100 * (1 - getattr(expected, "mostly", 1))
    return ExpectationValidationResult(
        success=share <= allowed,
        expectation_config=expected.configuration,
        result={
            "element_count": outcome.counted,
            "unexpected_count": outcome.failed,
            "unexpected_percent": share,
        },
    )
