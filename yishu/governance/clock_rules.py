"""By which rules clocks run here: profiles, calendar, the profile in force, and who is who."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.model import CatalogView
from catalog.promise import Party, Promise
from catalog.roles import Role
from yishu.clocks import WorkingDays, others_of, promise_of
from yishu.clocks.promise import Profiles
from yishu.ledger.journal import Actor


@dataclass(frozen=True)
class ClockRules:
    """What every clock of an installation is judged by.

    Attributes:
        profile: The profile under which new clocks open.
        departments: Names of the bodies that exist, by id; a clock of any other is an orphan.
        authority: Id of the data authority.
        operator: Id of the command centre.
    """

    profiles: Profiles
    calendar: WorkingDays
    profile: str
    departments: Mapping[str, str]
    authority: str
    operator: str

    def promise(self, profile: str, name: str) -> Promise:
        """The promise of a clock.

        Raises:
            PromiseUnknown: no profile makes it.
        """
        return promise_of(self.profiles, profile, name)

    def elsewhere(self, profile: str, name: str) -> list[Promise]:
        """The same promise as other profiles make it."""
        return others_of(self.profiles, profile, name)

    def org_of(self, party: Party, holder_org: str) -> str:
        """The body that a party to a clock is; an orphan's is the data authority."""
        if party is Party.DATA_OPERATOR:
            return self.operator
        if party is Party.DATA_AUTHORITY or holder_org not in self.departments:
            return self.authority
        return holder_org


def clock_rules(
    catalog: CatalogView, calendar: WorkingDays, *, profile: str, authority: str, operator: str
) -> ClockRules:
    """The rules that follow from a catalog."""
    names = {id_: department.name for id_, department in catalog.departments.items()}
    return ClockRules(catalog.profiles, calendar, profile, names, authority, operator)


def by_rule(rule: str) -> Actor:
    """Who acts where a rule decides without a person."""
    return Actor(f"rule:{rule}", f"rule:{rule}", Role.RULE, "yishu")
