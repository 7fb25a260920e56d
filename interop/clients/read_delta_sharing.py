"""delta-sharing, as its makers publish it: lists tables, loads one, and is refused cleanly."""

import json
from decimal import Decimal
from pathlib import Path

import client

STAGE, ENVIRONMENT = "sharing", "delta_sharing"


def read(request):
    """What the client sees with a good token, and with a revoked and a wrong one."""
    import delta_sharing
    from canonical import digest

    files = {}
    for name, profile in request["profiles"].items():
        files[name] = Path(request["folder"]) / f"{name}.share"
        files[name].write_text(json.dumps(profile), "utf-8")
    sharing = delta_sharing.SharingClient(str(files["good"]))
    tables = sharing.list_all_tables()
    address = f"{{}}#{tables[0].share}.{tables[0].schema}.{tables[0].name}"
    frame = delta_sharing.load_as_pandas(address.format(files["good"]))
    few = delta_sharing.load_as_pandas(address.format(files["good"]), limit=3)
    return {
        "tables": [[one.share, one.schema, one.name] for one in tables],
        "read": digest(rows(frame), request["types"]),
        "limited": len(few) == 3,
        "refused": {name: refused(files[name]) for name in ("revoked", "wrong")},
    }


def rows(frame):
    """Rows of a frame as plain Python values; NaN and NaT are no values."""
    import pandas as pd

    for row in frame.to_dict("records"):
        yield {
            name: value if isinstance(value, Decimal | str) or not pd.isna(value) else None
            for name, value in row.items()
        }


def refused(file):
    """Whether the client gets a clean 401 or 403."""
    import delta_sharing
    import requests

    try:
        delta_sharing.SharingClient(str(file)).list_all_tables()
    except requests.HTTPError as error:
        return error.response.status_code in (401, 403)
    return False


if __name__ == "__main__":
    client.answer(read)
