"""The invented city: who and what there is, each fact a function of an index.

Enterprises, social organisations and residents are numbered from 0; any table can ask for the facts
of any number and gets the same answer.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from example import codes, names
from example.chance import Bytes, Dice, Index, spread

LAST_DAY = np.datetime64("2025-12-31", "D").astype(np.int64)
"""Day number (since 1970-01-01) of the last day that the city knows."""

NO_END = np.datetime64("9999-12-31", "D").astype(np.int64)
"""Day number that says "no end"."""

MINIMUM_SIZE = 1_000
"""Below this, small tables have too few rows for two of every fault."""

_FIRST_BIRTHDAY = np.datetime64("1940-01-01", "D").astype(np.int64)
_BIRTHDAYS = 25_000
_ORDERS = 999

_REGION_CODES = tuple(names.REGIONS)
_ID_REGIONS = [*_REGION_CODES, *names.FORMER_REGIONS]


def day_numbers(days: Index) -> pa.Array:
    """Dates from day numbers since 1970-01-01."""
    return pa.array(days.astype(np.int32)).view(pa.date32())


def date_digits(days: Index) -> Bytes:
    """Dates as eight digits ``YYYYMMDD``, as a character matrix."""
    day = days.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    months = month.astype(np.int64)
    year = months // 12 + 1970
    in_month = (day - month).astype(np.int64) + 1
    return codes.digits(year * 10_000 + (months % 12 + 1) * 100 + in_month, 8)


def seconds(days: Index, second_of_day: Index) -> pa.Array:
    """Local times from day numbers and seconds."""
    return pa.array(days * 86_400 + second_of_day).view(pa.timestamp("s"))


@dataclass(frozen=True)
class City:
    """The city of a size: ``size`` enterprises, everything else in proportion."""

    size: int
    seed: int

    def __post_init__(self) -> None:
        if self.size < MINIMUM_SIZE:
            raise ValueError(f"size {self.size} is below the smallest city, {MINIMUM_SIZE}")

    @property
    def dice(self) -> Dice:
        """The city's chance."""
        return Dice(self.seed)

    def share(self, part: int, *, least: int = 400, most: int | None = None) -> int:
        """A number of rows: one for every ``part`` enterprises, within bounds."""
        count = max(least, self.size // part)
        return count if most is None else min(count, most)

    def enterprise_region(self, index: Index) -> Index:
        """Position of the enterprise's region in ``names.REGIONS``."""
        return self.dice.below("enterprise.region", index, len(_REGION_CODES))

    def enterprise_codes(self, index: Index) -> Bytes:
        """Social credit codes of enterprises (registrar 9), as a character matrix."""
        count = len(index)
        kind = np.where(self.dice.often("enterprise.kind", index, 90), ord("1"), ord("3"))
        region = codes.picked(list(_REGION_CODES), self.enterprise_region(index))
        front = np.concatenate([codes.repeated("9", count), kind[None].astype(np.uint8), region])
        serial = codes.letters_and_digits(index * 17 + self.seed % 10_007, 6)
        return codes.social_credit_codes(
            front, np.concatenate([codes.repeated("MA", count), serial])
        )

    def enterprise_names(self, index: Index) -> pa.Array:
        """Names of enterprises."""
        return names.company_names(self.dice, "enterprise", index)

    def founded(self, index: Index) -> Index:
        """Day number on which the enterprise was established, 1998 to 2025."""
        return LAST_DAY - 30 - self.dice.below("enterprise.founded", index, 10_100)

    def society_region(self, index: Index) -> Index:
        """Position of the social organisation's region in ``names.REGIONS``."""
        return self.dice.below("society.region", index, len(_REGION_CODES))

    def society_codes(self, index: Index) -> Bytes:
        """Social credit codes of social organisations (registrar 5), as a character matrix."""
        count = len(index)
        region = codes.picked(list(_REGION_CODES), self.society_region(index))
        front = np.concatenate([codes.repeated("51", count), region])
        serial = codes.letters_and_digits(index * 23 + self.seed % 10_007, 6)
        return codes.social_credit_codes(
            front, np.concatenate([codes.repeated("MJ", count), serial])
        )

    def resident_facts(self, index: Index) -> tuple[Bytes, Index, Index]:
        """Identity numbers, day numbers of birth, and order numbers (odd: male) of residents."""
        places = len(_ID_REGIONS) * _BIRTHDAYS * _ORDERS
        rest, order = np.divmod(spread(index, places), _ORDERS)
        region, birthday = np.divmod(rest, _BIRTHDAYS)
        born = _FIRST_BIRTHDAY + birthday
        ids = codes.resident_ids(
            codes.picked(_ID_REGIONS, region), date_digits(born), codes.digits(order + 1, 3)
        )
        return ids, born, order + 1

    def resident_names(self, index: Index) -> pa.Array:
        """Names of residents."""
        return names.person_names(self.dice, "resident", index)

    def mobile_phones(self, salt: str, index: Index) -> pa.Array:
        """Mobile phone numbers, all in one invented range."""
        number = self.dice.below(salt, index, 10_000_000)
        front = codes.repeated("1990", len(index))
        return codes.strings(np.concatenate([front, codes.digits(number, 7)]))

    def applicants(self, salt: str, index: Index) -> "Parties":
        """Who applies: a resident of the city in two cases of three, else an enterprise."""
        who = self.dice.below(salt, index, self.size)
        natural = self.dice.often(f"{salt}.kind", index, 66)
        ids = np.where(natural[None], self.resident_facts(who)[0], self.enterprise_codes(who))
        titles = pa.compute.if_else(
            pa.array(natural), self.resident_names(who), self.enterprise_names(who)
        )
        kinds = names.chosen(("001", "111"), natural.astype(np.int64))
        return Parties(titles, kinds, codes.strings(ids))

    def enterprises(self, index: Index) -> "Parties":
        """Enterprises as holders of licences."""
        kinds = names.chosen(("001",), np.zeros(len(index), np.int64))
        return Parties(
            self.enterprise_names(index), kinds, codes.strings(self.enterprise_codes(index))
        )

    def residents(self, index: Index) -> "Parties":
        """Residents as holders of licences."""
        kinds = names.chosen(("111",), np.zeros(len(index), np.int64))
        return Parties(
            self.resident_names(index), kinds, codes.strings(self.resident_facts(index)[0])
        )


@dataclass(frozen=True)
class Parties:
    """Names, kinds of document (GA/T 2000.156) and document numbers of persons or bodies."""

    names: pa.Array
    id_types: pa.Array
    id_numbers: pa.Array


@dataclass(frozen=True)
class Offices:
    """The district offices of one department: their names and social credit codes.

    ``serial`` keeps the departments' codes apart.
    """

    title: str
    serial: int

    @property
    def names(self) -> list[str]:
        """Full names, in the order of ``names.REGIONS``."""
        return [f"{region}{self.title}" for region in names.REGIONS.values()]

    @property
    def codes(self) -> list[str]:
        """Social credit codes of organs (registrar 1), in the order of ``names.REGIONS``."""
        places = np.arange(len(_REGION_CODES), dtype=np.int64)
        regions = codes.picked(list(_REGION_CODES), places)
        front = np.concatenate([codes.repeated("11", len(places)), regions])
        body = codes.digits(self.serial * 1_000 + places, 6)
        found = codes.social_credit_codes(
            front, np.concatenate([codes.repeated("MB", len(places)), body])
        )
        return [str(code) for code in codes.strings(found).to_pylist()]


def region_texts(place: Index) -> pa.Array:
    """Region codes from positions in ``names.REGIONS``."""
    return names.chosen(_REGION_CODES, place)
