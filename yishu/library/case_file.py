"""What the library knows of one case by its number: acceptance, progress and result (SUB-10).

A case moves from stage to stage as ``FOLLOWS`` allows. A step that a department reports against
that order is refused: it moves the case nowhere and is listed, so that its department mends it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from catalog.model import CatalogView
from catalog.vocabulary import Labelled
from yishu.library.errors import CaseMissing
from yishu.library.place import subject_table
from yishu.library.read import read, relation, session, tables


class CaseStage(Labelled):
    """How far a case has come (S003 二(二), S004 Art.19 and 22); values are codes of its steps."""

    APPLIED = "0", "申请"
    ACCEPTED = "1", "受理"
    REVIEWED = "2", "审核"
    DECIDED = "3", "审批"
    CLOSED = "4", "办结"
    DELIVERED = "5", "送达"


FOLLOWS: Mapping[CaseStage, frozenset[CaseStage]] = {
    CaseStage.APPLIED: frozenset({CaseStage.ACCEPTED}),
    CaseStage.ACCEPTED: frozenset({CaseStage.REVIEWED, CaseStage.DECIDED, CaseStage.CLOSED}),
    CaseStage.REVIEWED: frozenset({CaseStage.REVIEWED, CaseStage.DECIDED, CaseStage.CLOSED}),
    CaseStage.DECIDED: frozenset({CaseStage.REVIEWED, CaseStage.DECIDED, CaseStage.CLOSED}),
    CaseStage.CLOSED: frozenset({CaseStage.DELIVERED}),
    CaseStage.DELIVERED: frozenset(),
}
"""What may come next. A case that is handled at once skips review and decision; review and decision
may be done by several officers, and a decision may send a case back to review."""

_STAGES = {stage.value: stage for stage in CaseStage}


_STEPS = """
    select case_no, a.case_no is null or a.accepted_at is not null, process_step, started_at
    from case_process p left join case_application a using (case_no)
    order by case_no
"""
"""Of a case that is not published nobody knows whether it was accepted."""


@dataclass(frozen=True)
class Move:
    """One step of a case.

    Attributes:
        before: The stage that the case was at.
        step: The stage that the step leads to.
        is_legal: Whether it may follow; if not, the case stays where it was.
    """

    before: CaseStage
    step: CaseStage
    started_at: datetime
    is_legal: bool


@dataclass(frozen=True)
class CaseFile:
    """Acceptance, progress and result of a case; nothing of its applicant or handlers.

    Attributes:
        stage: Where it stands by its legal steps.
        accepted_at: None: not accepted.
        moves: Its steps in order of time.
        result: Kind of result, in Chinese; None: none is published.
        decided_on: None: no result is published.
    """

    case_no: str
    stage: CaseStage
    applied_at: datetime
    accepted_at: datetime | None
    moves: tuple[Move, ...]
    result: str | None
    decided_on: date | None


@dataclass(frozen=True)
class Course:
    """The moves of a case in order of time, and the stage that the legal ones lead to."""

    stage: CaseStage
    moves: tuple[Move, ...]


def course(steps: Iterable[tuple[str, datetime]], *, is_accepted: bool = False) -> Course:
    """The course of a case through its steps (code and begin).

    A step that is no stage, such as a special procedure, moves a case nowhere and is no move. Where
    the case is known to be accepted its acceptance may be missing among the steps: that row may
    have been set aside for another fault.
    """
    ordered = [
        (_STAGES[code], at) for code, at in sorted(steps, key=itemgetter(1, 0)) if code in _STAGES
    ]
    is_told = any(step is CaseStage.ACCEPTED for step, _ in ordered)
    stage = CaseStage.ACCEPTED if is_accepted and not is_told else CaseStage.APPLIED
    moves = []
    for step, started_at in ordered:
        moves.append(Move(stage, step, started_at, step in FOLLOWS[stage]))
        stage = step if moves[-1].is_legal else stage
    return Course(stage, tuple(moves))


def case_file(root: Path, catalog: CatalogView, case_no: str) -> CaseFile:
    """What is published of a case.

    Raises:
        TableMissing: no cases are published.
        CaseMissing: no case of that number is.
    """
    found = _rows(root, "case_application", case_no, ["applied_at", "accepted_at"])
    if not found:
        raise CaseMissing(
            case_no,
            found="no case of that number in the library",
            expected="the number of a published case",
            remedy="check the number; a new case is there once its department's data are published",
        )
    (applied,) = found
    (result,) = _published(root, "case_result", case_no, ["result_type", "decided_on"]) or [{}]
    steps = _published(root, "case_process", case_no, ["process_step", "started_at"])
    went = course(
        ((row["process_step"], row["started_at"]) for row in steps),
        is_accepted=applied["accepted_at"] is not None,
    )
    names = catalog.code_lists["result_type"].codes
    kind = result.get("result_type")
    return CaseFile(
        case_no,
        went.stage,
        **applied,
        moves=went.moves,
        result=None if kind is None else names.get(kind, kind),
        decided_on=result.get("decided_on"),
    )


def refused_moves(root: Path) -> Iterator[tuple[str, Move]]:
    """Every step of the published cases that may not follow the one before, by case number.

    Raises:
        TableMissing: no cases or no steps are published.
    """
    with session() as connection:
        for subject in ("case_application", "case_process"):
            relation(connection, root, subject_table(subject)).create_view(subject)
        reader = connection.sql(_STEPS).to_arrow_reader(10_000)
        rows = (tuple(row.values()) for batch in reader for row in batch.to_pylist())
        for case_no, steps in groupby(rows, key=itemgetter(0)):
            told = list(steps)
            went = course([(code, at) for _, _, code, at in told], is_accepted=told[0][1])
            yield from ((case_no, move) for move in went.moves if not move.is_legal)


def _published(root: Path, subject: str, case_no: str, columns: list[str]) -> list[dict[str, Any]]:
    return _rows(root, subject, case_no, columns) if subject_table(subject) in tables(root) else []


def _rows(root: Path, subject: str, case_no: str, columns: list[str]) -> list[dict[str, Any]]:
    where = {"case_no": case_no}
    found: list[dict[str, Any]] = read(
        root, subject_table(subject), columns=columns, where=where
    ).to_pylist()
    return found
