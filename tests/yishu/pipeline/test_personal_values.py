"""Personal values that went through the pipeline are found in none of its outputs (SEC-11)."""

import logging
import random
import sqlite3
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from catalog.roles import Role
from catalog.vocabulary import Mask, SystemKind
from expectations.datadocs import build_docs
from expectations.plan import plan
from yishu.governance.objections import NewObjection, Origin, raise_objection, row_key
from yishu.governance.period import Period
from yishu.governance.report import gather, render
from yishu.governance.scores import weights_on
from yishu.ledger.journal import Actor
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.aftermath import rules_of
from yishu.pipeline.custody import release_row
from yishu.pipeline.errors import ReleaseRefused
from yishu.pipeline.reject_file import masked_rows, write_reject_file
from yishu.pipeline.sampling import draw_and_compare, record_sample
from yishu.pipeline.store import run_folder

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
RESIDENT = "public_security.resident"
MONITOR = Actor("person-5", "qian.jun", Role.QUALITY_MONITOR, "big_data_bureau")
ROWS = 60
RUN = "planted"

WITH_DATA = {"landing", "quarantine", "library"}
"""Folders that hold the data themselves, for their owner's eyes only."""


def planted_rows(entry):
    """Residents whose personal values occur nowhere else, and those values."""
    dice = random.Random(20261120)  # noqa: S311  nothing is kept secret by it
    values = set()

    def digits(number):
        return "".join(dice.choices("0123456789", k=number))

    def odd(number):
        return "".join(chr(dice.randrange(0x7000, 0x9000)) for _ in range(number))

    def value(item):
        born = date(1955, 1, 1) + timedelta(days=dice.randrange(9_000))
        made = {
            Mask.RESIDENT_ID: f"320205{born:%Y%m%d}{digits(3)}X",
            Mask.PHONE: f"139{digits(8)}{dice.choice(['', 'x'])}",
            Mask.NAME: f"欧阳{odd(3)}",
            Mask.ADDRESS: f"江苏省无锡市锡山区{odd(5)}路{digits(4)}号",
            Mask.FULL: born.isoformat() if item.type == "date" else "1",
            Mask.NONE: "320205",
        }[item.mask]
        if item.mask is not Mask.NONE and len(made) > 1:
            values.add(made)
        return made

    return [[value(item) for item in entry.items] for _ in range(ROWS)], values


@pytest.fixture
def planted(make_world, city, tmp_path, caplog):
    """The world after a run of planted residents, the entry, and the values to look for."""
    caplog.set_level(logging.DEBUG)
    entry = city.release.entry(RESIDENT)
    rows, values = planted_rows(entry)
    columns = [item.source_column for item in entry.items]
    with sqlite3.connect(tmp_path / "residents.db") as opened:
        opened.execute(f"create table t_czrk ({', '.join(f'{name} text' for name in columns)})")
        marks = ", ".join("?" * len(columns))
        opened.executemany(f"insert into t_czrk values ({marks})", rows)
    there = {"connection": "civil_affairs_db", "kind": SystemKind.SQL, "table": "t_czrk"}
    changed = entry.model_copy(
        update={
            "source": entry.source.model_copy(update=there),
            "quality": entry.quality.model_copy(update={"max_quarantined_share": 1.0}),
        }
    )
    release = replace(city.release, entries={**city.release.entries, RESIDENT: changed})
    ctx = make_world({"civil_affairs_db": f"sqlite:///{tmp_path / 'residents.db'}"})
    ctx = replace(ctx, release=release)
    for stage in (run_pull, run_validate, run_publish):
        stage(RESIDENT, RUN, ctx)
    return ctx, changed, values


def leave_outputs(ctx, entry, folder):
    """Make every kind of output that people ask for."""
    here = run_folder(ctx.settings.var_dir, entry.id, RUN)
    for form in ("csv", "xlsx"):
        write_reject_file(entry, here, folder / f"reject.{form}")
    (folder / "rows.txt").write_text(repr(masked_rows(entry, here, limit=ROWS)))
    verdict = ctx.ledger.verdict(entry.id, RUN)
    facts = {"run_id": RUN, "decided_at": verdict.decided_at, "outcomes": verdict.checks}
    build_docs(plan(entry, ctx.release), entry.id, folder / "docs", **facts)
    first = pq.read_table(here.quarantined).to_pylist()[0]
    key = row_key(entry, {field: first[field] for field in entry.key}, "secret")
    words = f"{first['resident_id_no']} 的地址有误"
    later = NOW + timedelta(hours=1)
    with ctx.ledger.transaction() as connection:
        new = NewObjection(Origin.MONITOR, entry.id, words, None, key)
        raise_objection(connection, new, ctx.release, MONITOR, NOW)
        month = Period.parse("2026-11")
        rules = rules_of(connection, ctx)
        found = gather(
            connection, month, later, catalog=ctx.release, weights=weights_on, rules=rules
        )
        (folder / "report.html").write_text(render(found))
    with pytest.raises(ReleaseRefused) as refused:
        release_row(entry.id, RUN, 10**6, ctx, actor=MONITOR, reason=words, at=NOW)
    (folder / "error.txt").write_text(repr(refused.value))
    sample = draw_and_compare(entry.id, 3, 1, ctx, at=NOW)
    with ctx.ledger.transaction() as connection:
        record_sample(connection, sample, MONITOR)


def everything(ctx, folder):
    """Every output as text, by its place."""
    found = {}
    var = ctx.settings.var_dir
    files = [path for path in var.rglob("*") if path.relative_to(var).parts[0] not in WITH_DATA]
    for path in {*files, *folder.rglob("*")}:
        if path.is_file() and path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as parts:
                texts = [parts.read(name).decode("utf-8", "replace") for name in parts.namelist()]
            found[str(path)] = "".join(texts)
        elif path.is_file() and path.suffix != ".db":
            found[str(path)] = path.read_text("utf-8", "replace")
    tables = text(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables "
        "where table_schema like 'ledger%' and table_type = 'BASE TABLE'"
    )
    with ctx.ledger.transaction() as connection:
        for (table,) in connection.execute(tables).all():
            rows = connection.execute(text(f"select t::text from {table} as t")).scalars()
            found[table] = "\n".join(rows)
    return found


@pytest.mark.requirement("SEC-11")
def test_planted_personal_values_are_in_no_output(planted, tmp_path, caplog):
    """Logs, ledger, lineage, Data Docs, report, reject files, pages, errors, sampling."""
    ctx, entry, values = planted
    folder = tmp_path / "outputs"
    folder.mkdir()
    leave_outputs(ctx, entry, folder)

    outputs = {**everything(ctx, folder), "log": caplog.text}
    leaks = {
        (place, value[:4]) for place, said in outputs.items() for value in values if value in said
    }

    assert leaks == set()
    here = run_folder(ctx.settings.var_dir, RESIDENT, RUN)
    kept = repr(pq.read_table(here.quarantined).to_pylist())
    assert sum(value in kept for value in values) > ROWS
    for place in ("ledger.check_result", "ledger.objection", "ledger.sampling_check", "log"):
        assert outputs[place], f"{place} is empty, so nothing was looked at"
    places = " ".join(outputs)
    for part in ("reject.xlsx", "reject.csv", "report.html", "docs/", "events.jsonl"):
        assert part in places
