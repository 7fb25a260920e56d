"""One small table of awkward data, put into a real system of each kind."""

import contextlib
import csv
import io
import secrets
import sqlite3
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pymysql
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from psycopg import sql

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import Connection, Source, open_source

LONG = "长" * 50_000 + "x" * 50_000

# Column names as departments have them: full-width brackets, spaces, quotes, punctuation.
NAME, CODE, AMOUNT, DAY, UNLISTED = "名称（全 称）", "code", "amt (元)", '日"期', "未编目列"

ROWS: list[dict[str, Any]] = [
    {NAME: "无锡市𠮷祥䶮商行😀", CODE: 9007199254740993, AMOUNT: "0.10", DAY: "1850-01-01"},
    {NAME: 'a,b "c"\nd', CODE: -9223372036854775808, AMOUNT: "-12345678901.05", DAY: "2500-12-31"},
    {NAME: None, CODE: None, AMOUNT: None, DAY: None},
    {NAME: "", CODE: 0, AMOUNT: "99999999999.99", DAY: "1582-10-15"},
    {NAME: LONG, CODE: 110101199001011, AMOUNT: "1.00", DAY: "9999-12-31"},
]
"""Codes are integers, amounts decimals to the cent, days dates; None is null."""

SECRET = "p4ssw0rd-not-to-be-seen"
VALUE = "某人的名字"


@dataclass(frozen=True)
class System:
    """A department system of one kind that holds ``ROWS``.

    Attributes:
        types: Its own names of the columns' types.
        typed: Values arrive typed; otherwise as text.
        typed_days: Days do too; MySQL lets a day be 0000-00-00.
        has_null: It tells null from the empty string.
    """

    spec: SourceSpec
    connection: Connection
    types: Mapping[str, str]
    typed: bool = False
    typed_days: bool = True
    has_null: bool = True

    def open(self) -> Source:
        """The source under test."""
        return open_source(self.spec, self.connection)


Endpoint = Callable[[Request], Response]


class Service:
    """A real HTTP server on loopback whose one endpoint a test decides."""

    def __init__(self) -> None:
        self.answer: Endpoint = lambda _: Response(status_code=404)
        self.answer_token: Endpoint = lambda _: Response(status_code=404)
        self.requests: list[Request] = []
        app = FastAPI()

        @app.get("/api/rows")
        def rows(request: Request) -> Response:
            self.requests.append(request)
            return self.answer(request)

        @app.post("/api/token")
        async def token(request: Request) -> Response:
            request.state.body = await request.body()
            return self.answer_token(request)

        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", date_header=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def address(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"127.0.0.1:{port}"

    def serve(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Answer with pages of these rows, as the protocol has it."""

        def answer(request: Request) -> Response:
            page, size = (int(request.query_params[key]) for key in ("page", "page_size"))
            part = list(rows[(page - 1) * size : page * size])
            return JSONResponse({"total": len(rows), "page": page, "rows": part})

        self.answer = answer


@pytest.fixture(scope="module")
def running_service() -> Iterator[Service]:
    service = Service()
    service.start()
    yield service
    service.stop()


@pytest.fixture
def service(running_service: Service) -> Service:
    running_service.requests.clear()
    return running_service


def rest_spec(page_size: int = 2) -> SourceSpec:
    return SourceSpec(
        connection="hall", kind=SystemKind.REST, endpoint="/rows", page_size=page_size
    )


def rest_connection(service: Service) -> Connection:
    return Connection("hall", SystemKind.REST, f"http://:{SECRET}@{service.address}/api")


def csv_spec(**more: Any) -> SourceSpec:
    return SourceSpec(connection="drop", kind=SystemKind.CSV, path="rows_*.csv", **more)


def xlsx_spec(**more: Any) -> SourceSpec:
    return SourceSpec(connection="drop", kind=SystemKind.XLSX, path="rows_*.xlsx", **more)


def dropped(folder: Path, kind: SystemKind = SystemKind.CSV) -> Connection:
    return Connection("drop", kind, str(folder))


def fill_postgresql(url: str, rows: Sequence[Mapping[str, Any]]) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        columns = [sql.Identifier(name) for name in (NAME, CODE, AMOUNT, DAY, UNLISTED)]
        server.execute("create schema registry")
        server.execute(
            sql.SQL(
                "create table registry.rows ({} text, {} bigint, {} numeric(18,2), {} date, "
                "{} varchar(20))"
            ).format(*columns)
        )
        for row in rows:
            server.execute(
                sql.SQL("insert into registry.rows values (%s, %s, %s, %s, %s)"),
                [row[NAME], row[CODE], row[AMOUNT], row[DAY], VALUE],
            )


@pytest.fixture
def postgresql(fresh_database: str) -> System:
    fill_postgresql(fresh_database, ROWS)
    spec = SourceSpec(connection="market", kind=SystemKind.POSTGRESQL, table="registry.rows")
    types = {
        NAME: "text",
        CODE: "bigint",
        AMOUNT: "numeric(18,2)",
        DAY: "date",
        UNLISTED: "character varying(20)",
    }
    return System(spec, Connection("market", spec.kind, fresh_database), types, typed=True)


@pytest.fixture
def generic_postgresql(fresh_database: str) -> System:
    """The generic kind on a dialect that enforces its types."""
    fill_postgresql(fresh_database, ROWS)
    spec = SourceSpec(connection="market", kind=SystemKind.SQL, table="registry.rows")
    url = fresh_database.replace("postgresql://", "postgresql+psycopg://", 1)
    types = {
        NAME: "TEXT",
        CODE: "BIGINT",
        AMOUNT: "NUMERIC(18, 2)",
        DAY: "DATE",
        UNLISTED: "VARCHAR(20)",
    }
    return System(spec, Connection("market", spec.kind, url), types, typed=True)


@pytest.fixture
def mysql(mariadb: Any) -> System:
    name = f"t{secrets.token_hex(6)}"
    url = mariadb.fresh(name)
    kinds = {
        NAME: "longtext",
        CODE: "bigint(20)",
        AMOUNT: "decimal(18,2)",
        DAY: "date",
        UNLISTED: "varchar(20)",
    }
    columns = ", ".join(f"`{column}` {kind}" for column, kind in kinds.items())
    with (
        pymysql.connect(
            unix_socket=f"{mariadb.folder}/s", user="root", database=name, autocommit=True
        ) as server,
        server.cursor() as cursor,
    ):
        cursor.execute(f"create table `rows` ({columns})")
        cursor.executemany(
            "insert into `rows` values (%s, %s, %s, %s, %s)",
            [(row[NAME], row[CODE], row[AMOUNT], row[DAY], VALUE) for row in ROWS],
        )
    spec = SourceSpec(connection="works", kind=SystemKind.SQL, table="rows")
    return System(spec, Connection("works", spec.kind, url), kinds, typed=True, typed_days=False)


@pytest.fixture
def sqlite(tmp_path: Path) -> System:
    path = tmp_path / "民政 (a)#.db"
    columns = ", ".join('"{}" {}'.format(name.replace('"', '""'), kind) for name, kind in [
        (NAME, "TEXT"), (CODE, "BIGINT"), (AMOUNT, "DECIMAL(18,2)"), (DAY, "DATE"),
        (UNLISTED, "VARCHAR(20)"),
    ])  # fmt: skip
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"create table rows ({columns})")
        database.executemany(
            "insert into rows values (?, ?, ?, ?, ?)",
            [(row[NAME], row[CODE], row[AMOUNT], row[DAY], VALUE) for row in ROWS],
        )
        database.commit()
    spec = SourceSpec(connection="civil", kind=SystemKind.SQL, table="rows")
    types = {
        NAME: "TEXT",
        CODE: "BIGINT",
        AMOUNT: "DECIMAL(18, 2)",
        DAY: "DATE",
        UNLISTED: "VARCHAR(20)",
    }
    return System(spec, Connection("civil", spec.kind, f"sqlite:///{path}"), types)


@pytest.fixture
def gb18030_csv(tmp_path: Path) -> System:
    path = tmp_path / "rows_20250101.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([NAME, CODE, AMOUNT, DAY, UNLISTED])
        writer.writerows([*[row[k] for k in (NAME, CODE, AMOUNT, DAY)], VALUE] for row in ROWS)
    types = dict.fromkeys((NAME, CODE, AMOUNT, DAY, UNLISTED), "string")
    return System(csv_spec(encoding="gb18030"), dropped(tmp_path), types, has_null=False)


def write_out_integers(path: Path) -> None:
    """Put the integers' own digits into the file, where openpyxl wrote 16 of them."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    for row in ROWS:
        if row[CODE] is None:
            continue
        digits = f"<v>{row[CODE]:.16g}</v>"
        sheet = sheet.replace(digits.encode(), f"<v>{row[CODE]}</v>".encode(), 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (parts | {"xl/worksheets/sheet1.xml": sheet}).items():
            archive.writestr(name, content)


@pytest.fixture
def xlsx(tmp_path: Path) -> System:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([NAME, CODE, AMOUNT, DAY, UNLISTED])
    for row in ROWS:
        amount = None if row[AMOUNT] is None else Decimal(row[AMOUNT])
        day = None if row[DAY] is None else date.fromisoformat(row[DAY])
        # A spreadsheet has no dates before 1900, and a cell holds 32,767 characters.
        written = row[DAY] if day and day.year < 1900 else day
        name = row[NAME] and row[NAME][:32_767]
        sheet.append([name, row[CODE], amount, written, VALUE])
    path = tmp_path / "rows_20250101.xlsx"
    book.save(path)
    write_out_integers(path)
    types = dict.fromkeys((NAME, CODE, AMOUNT, DAY, UNLISTED), "string")
    connection = dropped(tmp_path, SystemKind.XLSX)
    return System(xlsx_spec(), connection, types, has_null=False)


@pytest.fixture
def parquet(tmp_path: Path) -> System:
    columns = {
        NAME: pa.array([row[NAME] for row in ROWS]),
        CODE: pa.array([row[CODE] for row in ROWS], pa.int64()),
        AMOUNT: pa.array(
            [None if row[AMOUNT] is None else Decimal(row[AMOUNT]) for row in ROWS],
            pa.decimal128(18, 2),
        ),
        DAY: pa.array([row[DAY] and date.fromisoformat(row[DAY]) for row in ROWS], pa.date32()),
        UNLISTED: pa.array([VALUE] * len(ROWS)).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "rows_20250101.parquet")
    names = ("string", "int64", "decimal128(18, 2)", "date32[day]", "string")
    spec = SourceSpec(connection="drop", kind=SystemKind.PARQUET, path="rows_*.parquet")
    types = dict(zip(columns, names, strict=True))
    return System(spec, dropped(tmp_path, SystemKind.PARQUET), types, typed=True)


@pytest.fixture
def zipped_tsv(tmp_path: Path) -> System:
    """Two tab-separated files in one zip file, in a folder with a Chinese name."""
    with zipfile.ZipFile(tmp_path / "rows_20250101.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in (("数据/1.tsv", ROWS[:2]), ("数据/2.tsv", ROWS[2:])):
            text = io.StringIO(newline="")
            writer = csv.writer(text, delimiter="\t")
            writer.writerow([NAME, CODE, AMOUNT, DAY, UNLISTED])
            writer.writerows([*[row[k] for k in (NAME, CODE, AMOUNT, DAY)], VALUE] for row in rows)
            archive.writestr(name, text.getvalue().encode("gb18030"))
    types = dict.fromkeys((NAME, CODE, AMOUNT, DAY, UNLISTED), "string")
    spec = SourceSpec(connection="drop", kind=SystemKind.CSV, path="rows_*.zip", delimiter="\t")
    return System(spec, dropped(tmp_path), types, has_null=False)


@pytest.fixture
def rest(service: Service) -> System:
    service.serve([{**row, UNLISTED: VALUE} for row in ROWS])
    types = dict.fromkeys((NAME, CODE, AMOUNT, DAY, UNLISTED), "string")
    return System(rest_spec(), rest_connection(service), types)


@pytest.fixture(
    params=[
        *("postgresql", "generic_postgresql", "mysql", "sqlite"),
        *("gb18030_csv", "zipped_tsv", "xlsx", "parquet", "rest"),
    ]
)
def system(request: pytest.FixtureRequest) -> System:
    """The same data in each kind of system in turn."""
    found: System = request.getfixturevalue(request.param)
    return found
