"""Scores of every entry, department and the city for each month of a year, from stored runs."""

import time

started = time.perf_counter()

import json  # noqa: E402  the clock starts before the imports

from sqlalchemy import create_engine  # noqa: E402

from catalog.release import current_release  # noqa: E402
from yishu.embedded import ledger_url  # noqa: E402
from yishu.governance.period import Period  # noqa: E402
from yishu.governance.scores import scores, weights_on  # noqa: E402
from yishu.settings import Settings  # noqa: E402

imports = time.perf_counter() - started
here = Settings()
release = current_release(here.releases_dir)
limits = {entry.id: entry.update_cycle.freshness for entry in release.entries.values()}
runs = 0
totals = []
with create_engine(ledger_url(here)).connect() as connection:
    for number in range(1, 13):
        month = Period.parse(f"2026-{number:02}")
        found = scores(
            connection,
            month,
            month.end,
            weights=weights_on(month.first),
            limits=limits,
            names_rules=False,
        )
        runs += sum(entry.runs for entry in found.entries)
        totals.append([str(found.total(entry.dimensions)) for entry in found.entries])
        totals.append([str(found.total(own)) for own in found.departments.values()])
        totals.append([str(found.total(found.city))])
print(json.dumps({"runs": runs, "scores": sum(map(len, totals)), "imports": imports}))
