"""From the ledger to the release: all or nothing, and the last good release stays."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from catalog.compilation import (
    CompilationRule,
    CompilationRuleset,
    RulesetUnreadable,
    in_force,
    load_rulesets,
)
from catalog.errors import NotCataloged, ReleaseDamaged
from catalog.faults import CatalogFaults
from catalog.release import current_release
from catalog.vocabulary import EntryState
from yishu.governance import publication, recheck, versions
from yishu.governance.errors import NotFound, ReasonMissing, StateRefused

TAXPAYER = "taxation.taxpayer"
TRANSPORT = "transport.road_transport_licence"


def _publish(place, desk, at):
    return publication.publish(place, desk.rules, (TAXPAYER,), desk.people["reviewer"], at(6))


def _revoke(place, desk, at, entry_id=TRANSPORT, reason="职能划转"):
    actor = desk.people["reviewer"]
    return publication.revoke(place, desk.rules, entry_id, reason, actor=actor, at=at(6))


def test_one_entry_that_is_not_approved_keeps_all_from_being_published(engine, place, desk, at):
    desk.approved(engine, TAXPAYER, name="纳税人")
    with pytest.raises(NotFound, match="no version on its way"):
        publication.publish(
            place, desk.rules, (TAXPAYER, TRANSPORT), desk.people["reviewer"], at(6)
        )
    with engine.connect() as connection:
        assert versions.open_version(connection, TAXPAYER).state is EntryState.APPROVED
    assert not place.settings.releases_dir.exists()


def test_a_database_that_goes_away_while_publishing_leaves_the_last_good_release(
    engine, place, desk, at
):
    """The session is ended between the last statement and the commit."""
    before = publication.write(place, desk.rules, at(5)).release
    desk.approved(engine, TAXPAYER, name="纳税人")
    compiled = publication.compile_

    def end_the_session(connection, rules, moment):
        content = compiled(connection, rules, moment)
        pid = connection.execute(text("select pg_backend_pid()")).scalar_one()
        with engine.connect() as other:
            other.execute(text(f"select pg_terminate_backend({pid})"))
        return content

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publication, "compile_", end_the_session)
        with pytest.raises(OperationalError):
            _publish(place, desk, at)
    with engine.connect() as connection:
        assert versions.in_force(connection, TAXPAYER).version == 1
        assert versions.open_version(connection, TAXPAYER).state is EntryState.APPROVED
    assert current_release(place.settings.releases_dir).id == before.id
    assert _publish(place, desk, at).release.entry(TAXPAYER).name == "纳税人"


def test_a_kill_after_the_commit_is_made_good_by_writing_the_release_again(
    engine, place, desk, at, monkeypatch
):
    desk.approved(engine, TAXPAYER, name="纳税人")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(publication, "write_release", killed)
    with pytest.raises(KeyboardInterrupt):
        _publish(place, desk, at)
    monkeypatch.undo()
    done = publication.write(place, desk.rules, at(6))
    assert done.release.entry(TAXPAYER).name == "纳税人"


def test_a_release_that_is_damaged_on_disk_is_refused_and_written_anew(place, desk, at):
    good = publication.write(place, desk.rules, at(5)).release
    file = place.settings.releases_dir / f"{good.id}.json"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace("税务".encode(), "水务".encode()))
    with pytest.raises(ReleaseDamaged, match="SHA-256"):
        current_release(place.settings.releases_dir)
    assert publication.write(place, desk.rules, at(5)).release.digest == good.digest
    assert current_release(place.settings.releases_dir).id == good.id


def test_a_withdrawn_entry_leaves_the_release_and_stays_on_record(engine, place, desk, at):
    publication.write(place, desk.rules, at(5))
    with engine.begin() as connection:
        connection.execute(
            text("update ledger.source_claim set valid_until = valid_from where entry_id = :id"),
            {"id": TRANSPORT},
        )
    done = _revoke(place, desk, at)
    with pytest.raises(NotCataloged):
        done.release.entry(TRANSPORT)
    with engine.connect() as connection:
        kept = versions.history(connection, TRANSPORT)[0]
        assert versions.retention_of_withdrawn(connection)[TRANSPORT].history_days >= 1
        gone = versions.entry_as_of(connection, TRANSPORT, at(7))
    assert (kept.state, kept.opinion, gone) == (EntryState.REVOKED, "职能划转", None)


def test_an_entry_on_which_others_rest_is_not_withdrawn(engine, place, desk, at):
    """The only source of an element that a subject shows."""
    with pytest.raises(CatalogFaults):
        _revoke(place, desk, at, "public_security.resident")
    with engine.connect() as connection:
        assert versions.in_force(connection, "public_security.resident") is not None


def test_a_withdrawal_needs_its_reason(place, desk, at):
    with pytest.raises(ReasonMissing):
        _revoke(place, desk, at, reason=" ")


def test_the_files_are_taken_over_once(connection, files, people, at):
    with pytest.raises(StateRefused, match=f"{len(files.entries)} versions on record"):
        publication.adopt(connection, files, people["administrator"], at(2))


STRICTER = CompilationRuleset(
    version=2,
    effective_on="2026-12-01",
    issued_by="big_data_bureau",
    basis="第二版",
    rules=(
        CompilationRule(id="long", text_zh="摘要不少于 40 个字", path="summary", minimum_length=40),
    ),
)


@pytest.mark.requirement("CAT-03")
def test_a_new_version_of_the_rules_checks_every_entry_again_and_lists_the_failures(
    connection, rules, files, people, at
):
    assert recheck.recheck(connection, rules.ruleset, people["reviewer"], at(2)) == []
    failed = recheck.recheck(connection, STRICTER, people["reviewer"], at(3))
    short = {id_ for id_, entry in files.entries.items() if len(entry.summary) < 40}
    assert {one.entry_id for one in failed} == short != set()
    assert sum(recheck.by_department(failed).values()) == len(short)
    assert "摘要不少于 40 个字" in failed[0].remarks[0]["text"]
    assert recheck.failures(connection, rules.ruleset.version) == []


@pytest.mark.requirement("CAT-03")
def test_an_entry_stores_the_version_of_the_rules_that_it_was_checked_against(connection, desk):
    desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    assert desk.submit(connection, TAXPAYER).ruleset == desk.rules.ruleset.version == 1


@pytest.mark.requirement("CAT-03")
def test_rules_are_in_force_from_their_day_and_files_are_read_by_version(rules, tmp_path):
    both = (rules.ruleset, STRICTER)
    assert in_force(both, STRICTER.effective_on).version == 2
    assert in_force(both, STRICTER.effective_on.replace(month=11)).version == 1
    with pytest.raises(RulesetUnreadable):
        load_rulesets(tmp_path)
    with pytest.raises(ValueError, match="exactly one condition"):
        CompilationRule(id="both", text_zh="x", path="name", pattern="x", minimum_length=1)
