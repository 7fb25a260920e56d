"""What precedes a submission: confidentiality review, impact assessment, the head's consent.

Each looks at one content and counts for that content alone: after a change it is outdated. Who
compiles does not assess; the confidentiality review is by another body (S003 二(九), Decree 809
Art.13).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from catalog.faults import Fault
from catalog.roles import Action
from catalog.vocabulary import AssessmentKind
from yishu.governance.candidate import day_of, holds_personal_information
from yishu.governance.errors import NotFound, NotSeparate, ReasonMissing
from yishu.governance.permission import require
from yishu.governance.versions import Version, open_version
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import CatalogAssessment as Row

VERDICTS = {
    AssessmentKind.CONFIDENTIALITY: ("may_be_shared", "may_be_shared_with_masking", "refused"),
    AssessmentKind.PERSONAL_INFORMATION: ("acceptable", "acceptable_with_measures", "refused"),
    AssessmentKind.HEAD_CONSENT: ("consented", "refused"),
}
"""What each kind may say; ``refused`` never lets an entry pass."""

_ACTIONS = {
    AssessmentKind.CONFIDENTIALITY: Action.REVIEW_CONFIDENTIALITY,
    AssessmentKind.PERSONAL_INFORMATION: Action.ASSESS_PERSONAL_INFORMATION,
    AssessmentKind.HEAD_CONSENT: Action.CONSENT_ENTRY,
}


@dataclass(frozen=True)
class Assessment:
    """One assessment; ``digest`` is that of the content which was looked at."""

    kind: AssessmentKind
    digest: str
    verdict: str
    basis: str
    assessed_person: str
    assessed_org: str
    assessed_at: datetime


@dataclass(frozen=True)
class Judgement:
    """What somebody says of an entry; ``verdict`` is one of `VERDICTS`."""

    kind: AssessmentKind
    verdict: str
    basis: str


def assess(
    connection: Connection, entry_id: str, said: Judgement, actor: Actor, at: datetime
) -> Assessment:
    """Put an assessment of the open version on record.

    Raises:
        NotFound: the entry has no open version.
        Forbidden: the role may not do it, or not for that body.
        NotSeparate: the compiler, or for confidentiality the compiler's body, would assess.
        ReasonMissing: no basis, or no known verdict.
    """
    version = open_version(connection, entry_id, lock=True)
    if version is None:
        raise NotFound(
            entry_id,
            found="no version on its way",
            expected="a draft to assess",
            remedy="compile a draft first",
        )
    action = _ACTIONS[said.kind]
    require(actor, action, entry_id, version.provider_org)
    _check(version, said, actor)
    made = Assessment(
        said.kind, version.digest, said.verdict, said.basis, actor.person, actor.org, at
    )
    values = {
        **asdict(made),
        "entry_id": entry_id,
        "version": version.version,
        "compiled_person": version.compiled_person,
        "compiled_org": version.provider_org,
        "assessed_account": actor.account,
    }
    connection.execute(insert(Row).values(values))
    after = {"version": version.version, "verdict": said.verdict, "digest": version.digest}
    append(connection, Act(actor, action, "catalog_entry", entry_id, at, said.basis, None, after))
    return made


def latest(connection: Connection, version: Version) -> dict[AssessmentKind, Assessment]:
    """The newest assessment of each kind of a version, outdated ones included."""
    asked = (
        select(Row)
        .where(Row.entry_id == version.entry_id, Row.version == version.version)
        .order_by(Row.assessment)
    )
    found = {}
    for row in connection.execute(asked).mappings():
        kept = {name: row[name] for name in Assessment.__dataclass_fields__ if name != "kind"}
        found[AssessmentKind(row["kind"])] = Assessment(AssessmentKind(row["kind"]), **kept)
    return found


def missing(version: Version, found: dict[AssessmentKind, Assessment]) -> Iterator[Fault]:
    """Which assessments a version lacks, or has of another content, or that refuse it."""
    for kind in AssessmentKind:
        if kind is AssessmentKind.PERSONAL_INFORMATION and not holds_personal_information(
            version.content
        ):
            continue
        one = found.get(kind)
        if one is None:
            yield _fault(version, kind, "CAT_ASSESSMENT_MISSING", "nothing on record")
        elif one.digest != version.digest:
            told = f"one of {day_of(one.assessed_at)}, before the content was changed"
            yield _fault(version, kind, "CAT_ASSESSMENT_OUTDATED", told)
        elif one.verdict == "refused":
            yield _fault(version, kind, "CAT_ASSESSMENT_REFUSED", f"refused: {one.basis}")


def review_of(found: dict[AssessmentKind, Assessment]) -> dict[str, Any] | None:
    """The confidentiality review as an entry carries it; None when there is none."""
    one = found.get(AssessmentKind.CONFIDENTIALITY)
    if one is None or one.verdict == "refused":
        return None
    return {
        "reviewer_org": one.assessed_org,
        "reviewed_on": day_of(one.assessed_at).isoformat(),
        "verdict": one.verdict,
        "basis": one.basis,
    }


def _check(version: Version, said: Judgement, actor: Actor) -> None:
    if said.verdict not in VERDICTS[said.kind]:
        raise ReasonMissing(
            version.entry_id,
            found=f"the verdict `{said.verdict}`",
            expected=f"one of {', '.join(VERDICTS[said.kind])}",
            remedy="choose one of them",
        )
    if not said.basis.strip():
        raise ReasonMissing(
            version.entry_id,
            found=f"{said.kind.label_zh} without its basis",
            expected="the basis of the verdict (依据)",
            remedy="say on which text or finding the verdict rests",
        )
    is_compiler = actor.person == version.compiled_person
    same_org = said.kind is AssessmentKind.CONFIDENTIALITY and actor.org == version.provider_org
    if is_compiler or same_org:
        who = f"{actor.account}, who" if is_compiler else f"{actor.org}, which"
        raise NotSeparate(
            version.entry_id,
            found=f"{said.kind.label_zh} by {who} compiled the entry",
            expected="another person, and for the confidentiality review another body",
            remedy="hand it to somebody else",
        )


def _fault(version: Version, kind: AssessmentKind, code: str, found: str) -> Fault:
    return Fault(
        code,
        "",
        0,
        f"{version.entry_id} {kind.value}",
        found=found,
        expected=f"{kind.label_zh} of this content (S003 二(九), Decree 809 Art.13)",
        remedy="have it done by whoever may, then submit again",
    )
