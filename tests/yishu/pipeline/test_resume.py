"""A pull of a service that broke off goes on from its landed pages, and leaves none behind."""

import threading
import time
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from catalog.model import RestSpec, SourceSpec
from catalog.vocabulary import SystemKind
from yishu.pipeline.pull import pull
from yishu.pipeline.store import run_folder
from yishu.sources.errors import SourceRefused
from yishu.sources.protocol import Connection

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
MEDICAL = "health.medical_licence"
ROWS = 7


class CursorService:
    """A service of a few licences behind a cursor; ``fails_at`` one it lets nobody in."""

    def __init__(self, columns):
        self.fails_at = None
        self.cursors = []
        app = FastAPI()

        @app.get("/licences")
        def licences(request: Request) -> Response:
            cursor = int(request.query_params.get("cursor", "0"))
            self.cursors.append(cursor)
            if cursor == self.fails_at:
                return Response(status_code=401)
            rows = [{name: f"{name}-{i}" for name in columns} for i in range(cursor, ROWS)][:2]
            following = cursor + 2 if cursor + 2 < ROWS else None
            return JSONResponse({"rows": rows, "next_cursor": following})

        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture
def entry(city):
    spec = SourceSpec(
        connection="health_api",
        kind=SystemKind.REST,
        endpoint="/licences",
        page_size=2,
        rest=RestSpec(pagination="cursor", stable_cursor=True),
    )
    return city.release.entry(MEDICAL).model_copy(update={"source": spec})


@pytest.fixture
def cursor_service(entry):
    service = CursorService([item.source_column for item in entry.items])
    yield service
    service.server.should_exit = True
    service.thread.join()


def test_a_pull_that_broke_off_goes_on_from_its_landed_pages(entry, cursor_service, tmp_path):
    """Every row once and in order, no page fetched twice but the first, no page left behind."""
    connection = Connection("health_api", SystemKind.REST, cursor_service.url)
    folder = run_folder(tmp_path, MEDICAL, "r1")
    cursor_service.fails_at = 4
    with pytest.raises(SourceRefused):
        pull(entry, connection, folder, run_id="r1", now=NOW)
    assert not folder.data.exists()
    cursor_service.fails_at = None
    cursor_service.cursors.clear()

    receipt = pull(entry, connection, folder, run_id="r1", now=NOW)

    assert cursor_service.cursors == [0, 4, 6]
    assert receipt.rows == ROWS
    first = entry.items[0]
    landed = pq.read_table(folder.data)[first.field].to_pylist()
    assert landed == [f"{first.source_column}-{i}" for i in range(ROWS)]
    assert sorted(path.name for path in folder.landing.iterdir()) == [
        "data.parquet",
        "receipt.json",
    ]
