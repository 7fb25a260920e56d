"""Portal: how long a search of the catalog takes with many entries.

The entries of the example city are repeated with other ids. ``--size`` is the number of entries;
10,000 unless said. The bound is 100 ms for 95 of 100 searches.
"""

import time
from dataclasses import replace
from itertools import cycle, islice

from harness import ROOT, Options, Section, markdown

from catalog.load import load_catalog
from catalog.search import Document, Query, documents, search

TITLE = "Portal: search"
SIZE = 10_000
TIMES = 40
QUERIES = {
    "one word": Query("信用"),
    "three words": Query("纳税人 信用 级别"),
    "code": Query("uscc"),
    "nothing fits, near ones": Query("信用纳税人"),
    "nothing near either": Query("不存在的词语组合"),
    "everything of a department": Query(org="taxation"),
}


def run(options: Options) -> Section:
    """Measure each kind of query."""
    among = grown(options.size or SIZE)
    lines = []
    for name, query in QUERIES.items():
        taken = sorted(timed(among, query) for _ in range(TIMES))
        found = len(search(among, query).entry_ids)
        lines.append([name, found, taken[TIMES // 2], taken[int(TIMES * 0.95) - 1]])
    header = ["query", "found", "median ms", "p95 ms"]
    return Section(TITLE, f"{len(among):,} entries, in one process.\n\n{markdown(header, lines)}")


def grown(size: int) -> list[Document]:
    """So many documents, the example's again and again."""
    catalog, _ = load_catalog(ROOT / "catalog")
    first = documents(catalog)
    repeated = islice(cycle(first), size)
    return [replace(one, entry_id=f"{one.entry_id}_{at}") for at, one in enumerate(repeated)]


def timed(among: list[Document], query: Query) -> float:
    """Milliseconds of one search."""
    began = time.perf_counter()
    search(among, query)
    return round(1_000 * (time.perf_counter() - began), 1)
