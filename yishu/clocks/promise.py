"""Which promise holds: that of the profile in force, the city's own, or the strictest of both."""

from collections.abc import Mapping, Sequence

from catalog.promise import Promise, RuleProfile
from yishu.clocks.errors import PromiseUnknown

Profiles = Mapping[str, RuleProfile]

STRICTEST = "strictest"
"""Profile name that asks for the strictest of all profiles."""


def promise_of(profiles: Profiles, profile: str, name: str) -> Promise:
    """The promise of that name under a profile; a local choice holds where the profile has none.

    Raises:
        PromiseUnknown: neither the profile nor a local choice has it.
    """
    made = [each.promises[name] for each in profiles.values() if name in each.promises]
    if profile == STRICTEST and made:
        return strictest(made)
    own = profiles[profile].promises.get(name) if profile in profiles else None
    local = next((promise for promise in made if promise.is_local_choice), None)
    found = own or (local if profile in profiles else None)
    if found is None:
        raise PromiseUnknown(
            name,
            found=f"no such promise under {profile}",
            expected=f"a promise of {', '.join([*profiles, STRICTEST])}",
            remedy="use a name of catalog/profiles/, or add the promise there",
        )
    return found


def others_of(profiles: Profiles, profile: str, name: str) -> list[Promise]:
    """The promises of that name that other profiles make and did not choose themselves."""
    found = (each.promises.get(name) for key, each in profiles.items() if key != profile)
    return [promise for promise in found if promise is not None and not promise.is_local_choice]


def strictest(promises: Sequence[Promise]) -> Promise:
    """One promise that keeps all of them: the shortest limit, the fewest exceptions."""
    first = min(promises, key=lambda promise: promise.working_days)
    longest = min(promise.extension_working_days for promise in promises)
    pauses = set.intersection(*(set(promise.pause_causes) for promise in promises))
    changed = {
        "extension_working_days": longest,
        "pause_causes": tuple(cause for cause in first.pause_causes if cause in pauses),
        "pause_limit_working_days": min(p.pause_limit_working_days for p in promises),
        "warning_lead_days": max(promise.warning_lead_days for promise in promises),
        "is_requester_told": any(promise.is_requester_told for promise in promises),
    }
    return first.model_copy(update=changed)
