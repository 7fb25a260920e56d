"""Many entries at once: each a draft with its record in the journal, all of them or none."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import event, func, select, text

from catalog.roles import Action
from catalog.vocabulary import ChangeCause, EntryState
from yishu.governance import saving, versions
from yishu.governance.errors import ChangedMeanwhile, Forbidden, SecretRefused
from yishu.governance.taking_in import Why, take_in
from yishu.ledger.journal import moment, record_hash
from yishu.ledger.models import Clock, JournalRecord

TAXPAYER = "taxation.taxpayer"
FIRST = Why(ChangeCause.INITIAL, "批量导入", date(2026, 11, 1))


@pytest.fixture
def given(edited):
    """So many new entries of one department."""

    def make(count: int, prefix: str = "new") -> list:
        names = [f"taxation.{prefix}_{number}" for number in range(count)]
        return [(name, edited(TAXPAYER, id=name, name=f"目录{name}")) for name in names]

    return make


@pytest.fixture
def statements(shared_engine):
    """The statements that reach the shared ledger, as they come."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(shared_engine, "before_cursor_execute", note)
    yield seen
    event.remove(shared_engine, "before_cursor_execute", note)


def records(connection):
    """The records of saved drafts, the oldest first."""
    asked = select(JournalRecord.__table__).where(JournalRecord.action == Action.COMPILE_ENTRY)
    return list(connection.execute(asked.order_by(JournalRecord.number)).mappings())


def test_all_entries_of_a_file_become_drafts_with_a_record_each(
    connection, given, people, at, monkeypatch
):
    monkeypatch.setattr(saving, "BATCH", 3)
    wanted = given(7)

    assert take_in(connection, wanted, FIRST, people["officer"], at(2)) == 7

    found = versions.open_versions(connection, [entry_id for entry_id, _ in wanted])
    assert {(one.version, one.edit, one.state) for one in found.values()} == {
        (1, 1, EntryState.DRAFT)
    }
    written = records(connection)
    assert [one["object_id"] for one in written] == [entry_id for entry_id, _ in wanted]
    for one in written:
        assert one["hash"] == record_hash({**one, "at": moment(at(2))})
        assert one["after"]["digest"] == found[one["object_id"]].digest


def test_the_next_file_edits_the_drafts_and_a_version_in_force_gets_the_next_number(
    connection, given, edited, people, at
):
    wanted = [*given(2), (TAXPAYER, edited(TAXPAYER))]
    take_in(connection, wanted, FIRST, people["officer"], at(2))
    changed = [(id_, {**content, "summary": "改过的摘要"}) for id_, content in wanted]

    take_in(connection, changed, FIRST, people["colleague"], at(3))

    found = versions.open_versions(connection, dict(wanted))
    assert [found[id_].edit for id_, _ in wanted] == [2, 2, 2]
    assert {one.content["summary"] for one in found.values()} == {"改过的摘要"}
    assert found[TAXPAYER].version == versions.in_force(connection, TAXPAYER).version + 1
    assert [one["before"]["edit"] for one in records(connection)[3:]] == [1, 1, 1]


def secret(given):
    given[-1][1].update(secrecy="secret")


def of_another_body(given):
    given.append(("health.other", given[0][1]))


def twice(given):
    given.append(given[0])


@pytest.mark.parametrize(
    ("change", "refusal"),
    [(secret, SecretRefused), (of_another_body, Forbidden), (twice, ChangedMeanwhile)],
)
def test_one_refused_entry_keeps_all_of_them_out(  # noqa: PLR0917
    connection, given, people, at, change, refusal
):
    wanted = given(3)
    change(wanted)

    with pytest.raises(refusal), connection.begin_nested():
        take_in(connection, wanted, FIRST, people["officer"], at(2))

    assert not versions.open_edits(connection)
    assert not records(connection)


def test_of_two_files_at_once_the_second_is_told_that_drafts_were_begun(engine, given, people, at):
    wanted = given(2)

    def second():
        with engine.begin() as other:
            take_in(other, wanted, FIRST, people["colleague"], at(3))

    with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
        take_in(connection, wanted, FIRST, people["officer"], at(2))
        waiting = pool.submit(second)
        wait_until_one_waits(engine)
        connection.commit()
        with pytest.raises(ChangedMeanwhile, match="saved at the same moment"):
            waiting.result(20)


def wait_until_one_waits(engine):
    """Return when a statement waits for another transaction's row; fail after ten seconds."""
    asked = text("select count(*) from pg_locks where not granted")
    for _ in range(200):
        with engine.connect() as connection:
            if connection.execute(asked).scalar():
                return
        time.sleep(0.05)
    pytest.fail("nothing waits")


@pytest.mark.requirement("COL-05")
def test_a_change_by_law_opens_a_clock_for_every_entry_of_the_file(connection, given, people, at):
    why = Why(ChangeCause.LAW_CHANGE, "新规定", date(2026, 11, 2))
    wanted = given(3)

    take_in(connection, wanted, why, people["officer"], at(3), profile="wuxi_2022")

    asked = select(func.count()).select_from(Clock).where(Clock.object_id.in_(dict(wanted)))
    assert connection.execute(asked).scalar() == 3


def test_as_many_statements_for_many_entries_as_for_few(connection, given, people, at, statements):
    few, many = given(2), given(60, "more")
    statements.clear()
    take_in(connection, few, FIRST, people["officer"], at(2))
    first = len(statements)

    take_in(connection, many, FIRST, people["officer"], at(2))

    assert len(statements) == 2 * first
