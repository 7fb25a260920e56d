"""An entry's way from draft to published version, and who may send it there."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.faults import CatalogFaults
from catalog.release import current_release
from catalog.vocabulary import AssessmentKind, ChangeCause, EntryState
from yishu.governance import assessment, lifecycle, promises, publication, versions
from yishu.governance.assessment import Judgement
from yishu.governance.errors import (
    ChangedMeanwhile,
    Forbidden,
    NotSeparate,
    ReasonMissing,
    SecretRefused,
    StateRefused,
)
from yishu.governance.lifecycle import Draft
from yishu.ledger.journal import Actor

TAXPAYER = "taxation.taxpayer"
DAY = date(2026, 11, 1)


def _draft(content, edit=None):
    return Draft(TAXPAYER, content, ChangeCause.LAW_CHANGE, "新规定", DAY, edit)


@pytest.mark.requirement("CAT-05", "CAT-06")
def test_an_approved_version_is_published_and_the_one_before_stays_on_record(
    engine, place, desk, at
):
    desk.approved(engine, TAXPAYER, update_cycle="weekly")
    done = publication.publish(place, desk.rules, (TAXPAYER,), desk.people["reviewer"], at(6))
    with engine.connect() as connection:
        past = versions.history(connection, TAXPAYER)
        before = versions.entry_as_of(connection, TAXPAYER, at(6, 9))
        after = versions.entry_as_of(connection, TAXPAYER, at(6, 10))
    assert [(one.version, one.state) for one in past] == [
        (2, EntryState.PUBLISHED),
        (1, EntryState.SUPERSEDED),
    ]
    assert (before.content["update_cycle"], after.content["update_cycle"]) == ("monthly", "weekly")
    assert past[0].cause is ChangeCause.ELEMENT_CHANGE
    released = current_release(place.settings.releases_dir)
    assert released.id == done.release.id
    entry = released.entry(TAXPAYER)
    assert (entry.version, entry.update_cycle, entry.published_on) == (
        2,
        "weekly",
        date(2026, 11, 6),
    )
    assert entry.confidentiality_review.reviewed_on == date(2026, 11, 3)


@pytest.mark.requirement("CAT-05")
def test_the_unified_catalog_is_exactly_what_is_published(engine, place, desk, files, at):
    desk.approved(engine, TAXPAYER, update_cycle="weekly")
    done = publication.write(place, desk.rules, at(6))
    assert set(done.release.entries) == set(files.entries)
    assert done.release.entry(TAXPAYER).update_cycle == "monthly"


@pytest.mark.requirement("CAT-05")
@pytest.mark.parametrize("who", ["officer", "head", "operator", "service", "administrator"])
def test_nobody_but_the_authority_approves_or_publishes(connection, desk, people, at, who):
    desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    desk.submit(connection, TAXPAYER)
    with pytest.raises(Forbidden):
        lifecycle.approve(connection, TAXPAYER, "好", people[who], at(5))
    desk.approve(connection, TAXPAYER)
    with pytest.raises(Forbidden):
        lifecycle.publish(connection, TAXPAYER, people[who], at(5))


@pytest.mark.requirement("CAT-04")
def test_an_officer_compiles_for_the_own_body_alone(connection, edited, people, at):
    with pytest.raises(Forbidden):
        lifecycle.save(connection, _draft(edited(TAXPAYER)), people["health_officer"], at(2))
    foreign = edited(TAXPAYER, provider_org="health")
    with pytest.raises(Forbidden, match="provider_org: taxation"):
        lifecycle.save(connection, _draft(foreign), people["officer"], at(2))


def test_of_two_officers_on_one_draft_the_second_is_told_who_was_first(
    connection, edited, people, at
):
    first = lifecycle.save(connection, _draft(edited(TAXPAYER)), people["officer"], at(2))
    content = edited(TAXPAYER, use_condition="仅限征收管理")
    lifecycle.save(connection, _draft(content, first.edit), people["colleague"], at(2, 11))
    with pytest.raises(ChangedMeanwhile, match=r"edit 2 by qian\.er"):
        lifecycle.save(connection, _draft(edited(TAXPAYER), first.edit), people["officer"], at(3))
    kept = versions.open_version(connection, TAXPAYER)
    assert kept.content["use_condition"] == "仅限征收管理"


def test_of_two_reviewers_at_once_the_second_is_told_what_the_first_did(
    connection, desk, people, at
):
    desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    desk.submit(connection, TAXPAYER)
    desk.approve(connection, TAXPAYER)
    with pytest.raises(StateRefused, match=r"approved \(已审核\) by zheng.yi"):
        lifecycle.approve(connection, TAXPAYER, "好", people["second_reviewer"], at(5))


def test_a_submission_is_refused_with_every_fault_at_once(connection, desk):
    items = versions.in_force(connection, TAXPAYER).content["items"]
    broken = [{**items[0], "type": "strnig"}, *items[1:]]
    desk.draft(
        connection,
        TAXPAYER,
        name="临时表",
        items=broken,
        provider_org="taxation",
        share={"type": "conditional", "modes": ["api"]},
        colour="red",
    )
    with pytest.raises(CatalogFaults) as refused:
        desk.submit(connection, TAXPAYER)
    codes = {fault.code for fault in refused.value.faults}
    assert codes == {
        "CAT_VALUE_INVALID",
        "CAT_KEY_UNKNOWN",
        "CAT_SHARE_CONDITION_MISSING",
        "CAT_RULE_BROKEN",
        "CAT_ASSESSMENT_MISSING",
    }
    assert versions.open_version(connection, TAXPAYER).state is EntryState.DRAFT


def test_a_returned_version_carries_every_remark_and_is_edited_and_submitted_again(
    connection, desk, people, rules, at
):
    desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    desk.submit(connection, TAXPAYER)
    said = [{"path": "summary", "text": "请说明统计口径"}, {"path": "items.2", "text": "单位不明"}]
    returned = lifecycle.send_back(
        connection, TAXPAYER, "请补充", people["reviewer"], at(5), remarks=said, rules=rules
    )
    assert (returned.state, list(returned.remarks)) == (EntryState.RETURNED, said)
    desk.draft(connection, TAXPAYER, edit=returned.edit, summary="企业纳税人及其信用级别，按年评定")
    desk.assess(connection, TAXPAYER)
    assert desk.submit(connection, TAXPAYER).state is EntryState.SUBMITTED


def test_a_decision_without_its_reason_is_not_saved(connection, desk, people, at):
    desk.draft(connection, TAXPAYER)
    with pytest.raises(ReasonMissing):
        lifecycle.send_back(connection, TAXPAYER, "  ", people["reviewer"], at(5))
    with pytest.raises(IntegrityError, match="ck_catalog_version_reason"):
        connection.execute(
            text("update ledger.catalog_version set state = 'returned' where state = 'draft'")
        )


def test_one_person_with_two_accounts_does_not_review_what_they_compiled(
    connection, desk, people, at
):
    desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    desk.submit(connection, TAXPAYER)
    other = people["reviewer"]
    twin = Actor(people["officer"].person, other.account, other.role, other.org)
    with pytest.raises(NotSeparate):
        lifecycle.approve(connection, TAXPAYER, "好", twin, at(5))
    with pytest.raises(IntegrityError, match="reviewed_is_not_compiled"):
        connection.execute(
            text(
                "update ledger.catalog_version set reviewed_person = compiled_person "
                "where state = 'submitted'"
            )
        )


@pytest.mark.requirement("CAT-06")
def test_a_published_version_cannot_be_rewritten_or_deleted(engine):
    for statement in (
        "update ledger.catalog_version set content = '{}' where version = 1",
        "delete from ledger.catalog_version",
    ):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize(
    "change",
    [{"secrecy": "state_secret"}, {"summary": "名单（机密★五年）"}],
    ids=["attribute", "mark"],
)
def test_a_secret_entry_cannot_be_saved_and_leaves_no_trace(connection, edited, people, at, change):
    with pytest.raises(SecretRefused) as refused:
        lifecycle.save(connection, _draft(edited(TAXPAYER, **change)), people["officer"], at(2))
    assert "名单" not in str(refused.value)
    assert versions.open_version(connection, TAXPAYER) is None


@pytest.mark.requirement("SEC-05")
def test_nothing_is_submitted_without_a_confidentiality_review_by_another_body(
    connection, desk, people, at
):
    desk.draft(connection, TAXPAYER)
    said = Judgement(AssessmentKind.CONFIDENTIALITY, "may_be_shared", "依据")
    with pytest.raises(NotSeparate):
        assessment.assess(connection, TAXPAYER, said, people["head"], at(3))
    with pytest.raises(CatalogFaults) as refused:
        desk.submit(connection, TAXPAYER)
    assert {fault.obj for fault in refused.value.faults} >= {f"{TAXPAYER} confidentiality"}


@pytest.mark.requirement("SEC-05")
def test_a_review_is_outdated_by_a_change(connection, desk):
    first = desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    desk.draft(connection, TAXPAYER, edit=first.edit, use_condition="仅限征收管理")
    with pytest.raises(CatalogFaults) as refused:
        desk.submit(connection, TAXPAYER)
    assert {fault.code for fault in refused.value.faults} == {"CAT_ASSESSMENT_OUTDATED"}


@pytest.mark.requirement("SEC-05")
def test_a_refused_review_after_approval_blocks_publishing(connection, desk, people, at):
    desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    desk.submit(connection, TAXPAYER)
    desk.approve(connection, TAXPAYER)
    said = Judgement(AssessmentKind.CONFIDENTIALITY, "refused", "发现商业秘密")
    assessment.assess(connection, TAXPAYER, said, people["second_reviewer"], at(5, 12))
    with pytest.raises(CatalogFaults):
        lifecycle.publish(connection, TAXPAYER, people["reviewer"], at(6))


def test_personal_information_needs_an_impact_assessment_and_the_heads_consent(connection, desk):
    items = versions.in_force(connection, TAXPAYER).content["items"]
    personal = {**items[4], "sensitivity": "personal", "mask": "name"}
    desk.draft(connection, TAXPAYER, items=[*items[:4], personal, *items[5:]])
    with pytest.raises(CatalogFaults) as refused:
        desk.submit(connection, TAXPAYER)
    kinds = {fault.obj.partition(" ")[2] for fault in refused.value.faults}
    assert kinds == {kind.value for kind in AssessmentKind}


def test_a_published_resource_code_is_not_given_twice(connection, desk):
    taken = versions.in_force(connection, "health.medical_licence").content["resource_code"]
    desk.draft(connection, TAXPAYER, resource_code=taken)
    desk.assess(connection, TAXPAYER)
    with pytest.raises(CatalogFaults, match=r"the code of health\.medical_licence"):
        desk.submit(connection, TAXPAYER)


@pytest.mark.requirement("CAT-06")
def test_the_difference_of_two_versions_is_told_in_a_clerks_words(connection, desk):
    share = versions.in_force(connection, TAXPAYER).content["share"]
    items = versions.in_force(connection, TAXPAYER).content["items"]
    changed = [{**items[0], "length": 20}, *items[1:-1]]
    more = {"update_cycle": "weekly", "items": changed, "share": {**share, "modes": ["api"]}}
    desk.draft(connection, TAXPAYER, **more)
    assert [change.text_zh for change in versions.diff(connection, TAXPAYER, 1, 2)] == [
        "数据项“统一社会信用代码”的长度由“18”改为“20”",
        "删除数据项“上年入库税额”（paid_tax_amount）",
        "共享属性·共享方式由“服务接口、批量交换”改为“服务接口”",
        "更新周期由“每月”改为“每周”",
    ]


def test_the_catalog_of_a_past_day_is_whole(engine, place, desk, files, at):
    desk.approved(engine, TAXPAYER, name="纳税人")
    publication.publish(place, desk.rules, (TAXPAYER,), desk.people["reviewer"], at(6))
    with engine.connect() as connection:
        now = {one.entry_id: one.name for one in versions.as_of(connection, at(7))}
        past = {one.entry_id: one.name for one in versions.as_of(connection, at(5))}
    assert set(now) == set(past) == set(files.entries)
    assert (past[TAXPAYER], now[TAXPAYER]) == (files.entries[TAXPAYER].name, "纳税人")


def test_the_catalogs_clock_runs_from_the_declared_day_to_the_publication(
    engine, place, desk, edited, at
):
    with engine.begin() as connection:
        who = desk.people["officer"]
        draft = _draft(edited(TAXPAYER))
        lifecycle.save(connection, draft, who, at(2), profile="wuxi_2022")
        (clock,) = promises.clock_rows(connection, object_id=TAXPAYER, is_open=True)
        assert clock.received_at == at(1, 0)
        desk.assess(connection, TAXPAYER)
        desk.submit(connection, TAXPAYER)
        desk.approve(connection, TAXPAYER)
    publication.publish(place, desk.rules, (TAXPAYER,), desk.people["reviewer"], at(6))
    with engine.connect() as connection:
        (clock,) = promises.clock_rows(connection, object_id=TAXPAYER)
    kinds = [event.kind.value for event in clock.events]
    assert (kinds, clock.closed_at) == (["opened", "submitted", "fulfilled"], at(6))
