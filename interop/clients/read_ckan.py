"""CKAN's own parser of DCAT-AP 3: the datasets that a harvest would make."""

from pathlib import Path

import client

STAGE, ENVIRONMENT = "dcat", "ckan"


def read(request):
    """What the parser makes of each form."""
    from ckanext.dcat.processors import RDFParser

    found = {}
    for form, path in request.items():
        parser = RDFParser(profiles=["euro_dcat_ap_3"])
        parser.parse(Path(path).read_text("utf-8"), _format=form)
        found[form] = sorted(map(shown, parser.datasets()), key=lambda one: one["identifier"])
    return found


def shown(dataset):
    """The parts of a dataset that are compared."""
    extras = {one["key"]: one["value"] for one in dataset["extras"]}
    return {
        "identifier": extras["identifier"],
        "title": dataset["title"],
        "notes": dataset["notes"],
        "publisher": extras["publisher_name"],
        "issued": extras["issued"],
        "tags": len(dataset["tags"]),
        "resources": len(dataset["resources"]),
    }


if __name__ == "__main__":
    client.answer(read)
