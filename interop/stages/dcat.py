"""The example's catalog as DCAT-AP 3, in both forms."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.load import load_catalog
from yishu.interchange import dcat

_CATALOG = Path(__file__).resolve().parents[2] / "catalog"
_BASE = "https://data.example"


@contextmanager
def stage(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """The whole catalog in a file a form; the datasets that a reader must find in each."""
    catalog, _ = load_catalog(_CATALOG)
    graph = dcat.graph(catalog.entries.values(), catalog, _BASE)
    paths = {}
    for ending, form in dcat.FORMATS.items():
        paths[form] = folder / f"catalog.{ending}"
        paths[form].write_text(graph.serialize(format=form), "utf-8")
    datasets = [
        {
            "identifier": entry.id,
            "title": entry.name,
            "notes": entry.summary,
            "publisher": catalog.departments[entry.provider_org].name,
            "issued": entry.published_on.isoformat(),
            "tags": len(set(entry.category_path)),
            "resources": 1,
        }
        for entry in sorted(catalog.entries.values(), key=lambda one: one.id)
    ]
    yield {form: str(path) for form, path in paths.items()}, dict.fromkeys(paths, datasets)
