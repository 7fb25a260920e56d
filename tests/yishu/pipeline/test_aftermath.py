"""Data corrected at the source come back by themselves: pulled, checked, published, and told."""

import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from catalog.roles import Role
from yishu.governance.notices import inbox
from yishu.governance.objections import (
    NewObjection,
    ObjectionState,
    Origin,
    Step,
    correct,
    move,
    objections,
    raise_objection,
    row_key,
)
from yishu.governance.period import Period
from yishu.governance.rates import Rate, indicators
from yishu.ledger.journal import Actor
from yishu.library.read import by_key
from yishu.pipeline import run_publish, run_pull, run_subject, run_validate
from yishu.pipeline.status import entry_status

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ORGANISATION = "civil_affairs.social_organisation"
OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "housing_construction")
SOURCE = Actor("person-3", "he.ping", Role.DEPARTMENT_OFFICER, "civil_affairs")
AUTHORITY = Actor("person-4", "sun.li", Role.AUTHORITY_REVIEWER, "big_data_bureau")

DELIVERED = text("""
    set session_replication_role = replica;
    insert into ledger.share_grant (
        grant_id, request_id, approved_seat, approved_org, object_id, consumer_org, consumer_level,
        consumer_region, provider_orgs, columns, row_scope, masks, purpose_code, purpose,
        service_items, mode, format, cycle, valid_from, valid_until, decided_by, decided_by_orgs,
        decided_at, opened_by, opened_by_org, state
    ) values (
        'grant-1', 'r', 's', 'o', 'civil_affairs.social_organisation', 'transport', 'city',
        '320200', '{civil_affairs}', '{uscc}', '{}', '{}', 'p', 'p', '{}', 'file_download', 'csv',
        'daily', now(), now() + interval '1 year', '{a}', '{b}', now(), 'c', 'd', 'open'
    );
    insert into ledger.share_delivery (
        delivery_id, grant_id, batch_no, channel, table_name, table_version, state, sent, received,
        content_digest, receipt, started_at
    ) values (
        'd-1', 'grant-1', 1, 'file', 'unified/civil_affairs.social_organisation', 0, 'delivered',
        1, 1, 'x', '{}', now()
    );
    set session_replication_role = origin;
""")


def run(ctx, run_id):
    for stage in (run_pull, run_validate, run_publish):
        done = stage(ORGANISATION, run_id, ctx)
    return done


@pytest.mark.requirement("QUA-01", "QUA-03", "QUA-05")
def test_a_correction_is_pulled_published_and_told_to_who_received_the_error(
    make_world, city, tmp_path
):
    path = tmp_path / "civil.db"
    shutil.copy(city.urls["civil_affairs_db"].removeprefix("sqlite:///"), path)
    ctx = make_world(urls={"civil_affairs_db": f"sqlite:///{path}"})
    run(ctx, "r1")
    entry = ctx.release.entry(ORGANISATION)
    with sqlite3.connect(path) as opened:
        bad = {row[0] for row in opened.execute("select tyshxydm from shzz_djxx")}
    uscc = next(
        code for code in sorted(filter(None, bad))
        if by_key(ctx.settings.library_dir, f"unified/{ORGANISATION}", {"uscc": code}).num_rows
    )  # fmt: skip
    new = NewObjection(
        Origin.DEPARTMENT, ORGANISATION, "名称写错", "name", row_key(entry, {"uscc": uscc}, "key")
    )
    with ctx.ledger.transaction() as connection:
        connection.execute(DELIVERED)
        number = raise_objection(connection, new, ctx.release, OFFICER, NOW)
        move(connection, number, Step(ObjectionState.ACCEPTED), AUTHORITY, NOW)
        move(connection, number, Step(ObjectionState.VERIFIED, "属实"), SOURCE, NOW)
    with sqlite3.connect(path) as opened:
        opened.execute("update shzz_djxx set shzzmc = '更正协会' where tyshxydm = ?", [uscc])
        opened.commit()
    assert entry_status(ORGANISATION, ctx).open_objections == 1
    with ctx.ledger.transaction() as connection:
        correct(connection, number, "已改正", SOURCE, NOW + timedelta(hours=1))

    later = replace(ctx, clock=lambda: NOW + timedelta(days=1))
    done = run(later, "r2")
    run_publish(ORGANISATION, "r2", later)

    with ctx.ledger.transaction() as connection:
        (found,) = objections(connection, source_entry_id=ORGANISATION)
        told = [one for one in inbox(connection) if one.object_id == number]
    row = by_key(ctx.settings.library_dir, f"unified/{ORGANISATION}", {"uscc": uscc})
    assert row.column("name").to_pylist() == ["更正协会"]
    assert found.state is ObjectionState.FED_BACK
    last = [one for one in told if one.at == later.clock()]
    assert sorted(one.org for one in last) == ["housing_construction", "transport"]
    assert f"第 {done['version']} 版" in next(one.text for one in last if one.org == "transport")


@pytest.mark.requirement("QUA-01")
def test_copies_that_differ_become_objections_to_the_source_once(published_city):
    """The nightly comparison makes one case for each copy and element, whatever is run again."""
    ctx, _ = published_city
    built = run_subject("legal_entity", "copies", ctx)
    run_subject("legal_entity", "copies-again", replace(ctx, clock=lambda: NOW + timedelta(1)))

    with ctx.ledger.transaction() as connection:
        found = [one for one in objections(connection) if one.origin is Origin.CROSS_CHECK]
    different = [one for one in built["copies"] if one["different"]]
    assert different
    assert len(found) == len(different)
    assert {one.source_entry_id for one in found} <= {o["source_entry_id"] for o in different}
    assert {one.state for one in found} == {ObjectionState.RAISED}


CHECKED_IN_QUARTER = text("""
    select v.run_id, sum(c.counted) as counted
    from ledger.verdict v join ledger.check_result c using (run_id, entry_id)
    where v.entry_id = :entry_id and v.decided_at < '2027-01-01 00:00+08'
        and c.dimension <> 'timeliness'
    group by v.run_id, v.decided_at order by v.decided_at
""")


@pytest.mark.requirement("IND-21")
def test_each_load_refreshes_the_rates_of_its_department(published_city):
    ctx, _ = published_city
    with ctx.ledger.transaction() as connection:
        found = indicators(connection, Period.parse("2026Q4"))
    departments = {entry.provider_org for entry in ctx.release.entries.values()}
    assert {one.department_id for one in found} == departments
    quality = next(o for o in found if (o.department_id, o.rate) == ("taxation", Rate.QUALITY))
    # The city is shared: other tests may have run the entry again.
    with ctx.ledger.transaction() as connection:
        runs = connection.execute(CHECKED_IN_QUARTER, {"entry_id": "taxation.taxpayer"}).all()
    assert quality.figure.counted == sum(run.counted for run in runs)
    assert quality.run_id in {run.run_id for run in runs}
