"""The catalog as people run it: the sealed journal, versions of entries.

The statements are in ``sql/migrations/0007_catalog``, a file an area.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

AREAS = ("journal", "versions", "organisations", "sources", "items", "security")

MADE = """
drop table ledger.incident_step, ledger.security_incident, ledger.protected_system

drop table ledger.guide_link, ledger.item_slot, ledger.published_list_row, ledger.published_list

drop table ledger.item_version

drop table ledger.source_dispute, ledger.source_claim, ledger.source_element

drop type ledger.textrange

drop table ledger.duty_party, ledger.duty, ledger.item_claim, ledger.deputy, ledger.org_contact

drop table ledger.org_succession, ledger.organisation

drop table ledger.catalog_check

drop table ledger.catalog_assessment

drop table ledger.catalog_version

drop function ledger.refuse_rewriting

drop table ledger.journal_waiting

drop table ledger.journal_link

drop table ledger.journal_seal

drop trigger journal_is_only_added_to on ledger.journal

drop function ledger.refuse_forgetting

alter table ledger.journal add column previous_hash text not null default ''
"""


def upgrade() -> None:
    """Make the tables and what guards them."""
    folder = Path(__file__).resolve().parents[1] / "0007_catalog"
    for area in AREAS:
        _run((folder / f"{area}.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop the tables and what they say."""
    _run(MADE)


def _run(script: str) -> None:
    for statement in script.strip().split("\n\n"):
        op.execute(statement)
