"""What every model of the catalog is made of: frozen, strict about keys, with checked names."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
EntryId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
ElementId = EntryId
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day such as ``"08:30"``; in quotes, since YAML reads 17:30 as a number."""


class Model(BaseModel):
    """Frozen, and strict about keys: a misspelt key is a fault, never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
