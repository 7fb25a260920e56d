"""The journal keeps every act in a signed chain that shows where it was broken."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.roles import Action, Role
from yishu.ledger import chain
from yishu.ledger.journal import Act, Actor, append, record_hash
from yishu.ledger.seal import (
    GENESIS,
    keep_outside,
    kept_outside,
    last_seal,
    link_hash,
    seal_waiting,
    signing_key,
)

AT = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "taxation")
KEY = Ed25519PrivateKey.generate()


def _act(number: int) -> Act:
    after = {"name": f"条目{number}", "share": 0.2, "items": [1, None, True]}
    return Act(
        OFFICER, Action.COMPILE_ENTRY, "catalog_entry", f"taxation.e{number}", AT, "", None, after
    )


def _append(engine, first: int, last: int) -> None:
    with engine.begin() as connection:
        for number in range(first, last):
            append(connection, _act(number))


def _seal(engine):
    with engine.begin() as connection:
        return seal_waiting(connection, KEY, AT)


@pytest.fixture
def sealed(engine):
    """Six records under two seals."""
    for first in (0, 3):
        _append(engine, first, first + 3)
        _seal(engine)
    return engine


def _lines(engine) -> list[str]:
    with engine.connect() as connection:
        return list(chain.export(connection))


def _proof(engine, kept=None):
    return chain.verify(_lines(engine), KEY.public_key(), kept)


def _as_superuser(engine, *statements: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.requirement("SUP-08")
def test_sealed_records_are_proven_and_later_ones_are_told_apart(sealed):
    _append(sealed, 6, 8)
    proof = _proof(sealed)
    assert (proof.records, proof.unsealed, proof.seals, proof.broken) == (6, 2, 2, None)


def test_an_act_that_is_rolled_back_leaves_no_record(engine):
    with engine.connect() as connection:
        append(connection, _act(0))
        connection.rollback()
    assert _seal(engine) is None


def test_a_record_that_is_committed_late_comes_into_a_later_batch(engine):
    with engine.connect() as late:
        append(late, _act(0))
        _append(engine, 1, 3)
        assert _seal(engine).last_position == 2
        late.commit()
    assert _seal(engine).last_position == 3
    assert _proof(engine).broken is None


def test_concurrent_writers_and_sealers_leave_one_chain(engine):
    def work(part: int) -> None:
        for number in range(10):
            _append(engine, part * 10 + number, part * 10 + number + 1)
            if number % 4 == 0:
                _seal(engine)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    _seal(engine)
    proof = _proof(engine)
    assert (proof.records, proof.unsealed, proof.broken) == (40, 0, None)


@pytest.mark.requirement("SUP-08")
@pytest.mark.parametrize("table", ["journal", "journal_link", "journal_seal"])
@pytest.mark.parametrize(
    "change",
    ["update ledger.{} set hash = ''", "delete from ledger.{}", "truncate ledger.{} cascade"],
)
def test_the_database_refuses_to_change_or_delete(sealed, table, change):
    with pytest.raises(IntegrityError, match="is only ever added to"), sealed.begin() as connection:
        connection.execute(text(change.format(table)))


def test_the_database_refuses_to_forget_a_record_that_waits(engine):
    _append(engine, 0, 1)
    with pytest.raises(IntegrityError, match="not in the chain"), engine.begin() as connection:
        connection.execute(text("delete from ledger.journal_waiting"))


def test_a_rewritten_row_is_named(sealed):
    _as_superuser(sealed, "update ledger.journal set org = 'health' where number = 2")
    assert "record 2 (compile_entry of taxation.e1)" in _proof(sealed).broken


def test_a_row_taken_out_of_the_middle_is_named(sealed):
    _as_superuser(
        sealed,
        "delete from ledger.journal_link where position = 3",
        "delete from ledger.journal where number = 3",
    )
    assert "position 3 of the chain is missing" in _proof(sealed).broken


def _rewrite(engine) -> None:
    """What a superuser can do at most: change record 2 and compute every later hash anew."""
    statements, hash_ = [], GENESIS
    for line in map(json.loads, _lines(engine)[1:]):
        if "record" not in line:
            continue
        record = line["record"]
        if record["number"] == 2:
            record["org"] = "health"
        digest = record_hash(record)
        hash_ = link_hash(hash_, record["position"], record["number"], digest)
        where = f"position = {record['position']}"
        statements += [
            f"update ledger.journal set org = '{record['org']}' where number = {record['number']}",
            f"update ledger.journal set hash = '{digest}' where number = {record['number']}",
            f"update ledger.journal_link set hash = '{hash_}' where {where}",
            f"update ledger.journal_seal set hash = '{hash_}' where last_{where}",
        ]
    _as_superuser(engine, *statements)


@pytest.mark.requirement("SUP-08")
def test_a_superuser_who_computes_every_later_hash_anew_is_found_out(sealed):
    _rewrite(sealed)
    assert "seal 1 on positions 1 to 3: the signature" in _proof(sealed).broken


def test_seals_by_another_key_do_not_help_the_superuser(engine):
    _append(engine, 0, 3)
    with engine.begin() as connection:
        seal_waiting(connection, Ed25519PrivateKey.generate(), AT)
    assert "the signature is not that of this key" in _proof(engine).broken


CUT = (
    "delete from ledger.journal_seal where seal = 2",
    "delete from ledger.journal_link where position > 3",
    "delete from ledger.journal where number > 3",
)


@pytest.mark.requirement("SUP-08")
def test_a_tail_cut_off_with_its_seal_is_found_out_by_the_seal_kept_outside(sealed, tmp_path):
    with sealed.connect() as connection:
        keep_outside(last_seal(connection), tmp_path)
    _as_superuser(sealed, *CUT)
    assert _proof(sealed).broken is None
    assert "the tail was cut off" in _proof(sealed, kept_outside(tmp_path)).broken


def test_a_tail_cut_off_and_grown_again_is_found_out(sealed):
    with sealed.connect() as connection:
        kept = last_seal(connection)
    _as_superuser(sealed, *CUT)
    _append(sealed, 10, 13)
    _seal(sealed)
    assert "the seal kept outside is another one" in _proof(sealed, kept).broken


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda lines: lines[1:], "line 1 is not the head"),
        (lambda lines: [*lines[:2], lines[2][:30], *lines[3:]], "line 3 is no JSON"),
        (lambda lines: [*lines[:4], *lines[5:]], "seal 1, which begins at position 1, is missing"),
        (
            lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
            "position 1 of the chain is missing",
        ),
    ],
    ids=["no head", "cut line", "no seal", "swapped"],
)
def test_a_damaged_export_is_named_where_it_breaks(sealed, spoil, found):
    assert found in chain.verify(spoil(_lines(sealed)), KEY.public_key()).broken


def test_the_key_is_made_once_and_kept_owner_only(tmp_path):
    first, again = signing_key(tmp_path), signing_key(tmp_path)
    assert first.private_bytes_raw() == again.private_bytes_raw()
    assert (tmp_path / "journal_key").stat().st_mode & 0o077 == 0


def test_the_seal_holds_nothing_but_the_signature_of_the_key(sealed):
    with sealed.connect() as connection:
        seal = last_seal(connection)
    assert KEY.private_bytes_raw().hex() not in json.dumps(asdict(seal))
