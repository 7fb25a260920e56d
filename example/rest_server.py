"""The departments' query services: pages of JSON on loopback.

    python -m example.rest_server --folder var/example --port 8090

``GET /<service>?page=1&page_size=500`` answers ``{"total", "page", "rows"}``; pages count from 1.
With ``YISHU_EXAMPLE_TOKEN`` in the environment every request must carry it as a bearer token.
"""

import argparse
import hmac
import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Query

from example.city import REST_FOLDER

TOKEN_VARIABLE = "YISHU_EXAMPLE_TOKEN"  # noqa: S105 (the name of the variable, not a token)


def application(folder: Path, token: str | None = None) -> FastAPI:
    """The services over the data that ``example.city.build`` wrote into ``folder``.

    Args:
        folder: The city's folder.
        token: Bearer token that every request must carry; None asks for none.
    """
    app = FastAPI(title="Department services of the example city", docs_url=None)

    @cache
    def rows_of(path: Path, _changed: int) -> pa.Table:
        return pq.read_table(path)

    @app.get("/{service}")
    def page_of(
        service: str,
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1, le=10_000)] = 500,
        authorization: Annotated[str, Header()] = "",
    ) -> dict[str, Any]:
        """One page of a service's rows."""
        if token and not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "a bearer token is needed")
        path = folder / REST_FOLDER / f"{service}.parquet"
        if not service.isidentifier() or not path.is_file():
            raise HTTPException(404, f"no service named {service!r}")
        table = rows_of(path, path.stat().st_mtime_ns)
        rows = table.slice((page - 1) * page_size, page_size).to_pylist()
        return {"total": table.num_rows, "page": page, "rows": rows}

    return app


def main() -> None:
    """Serves until it is stopped; listens on 127.0.0.1 only."""
    parser = argparse.ArgumentParser(description="Department services of the example city")
    parser.add_argument("--folder", type=Path, required=True, help="the city's folder")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    asked = parser.parse_args()
    app = application(asked.folder, os.environ.get(TOKEN_VARIABLE))
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
