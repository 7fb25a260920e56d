"""The root of every error that Yishu raises on purpose.

    YishuError                     names object, found, expected and remedy
    ├── CatalogError               the catalog does not allow it          (catalog)
    │   ├── NotCataloged           no published entry of that name
    │   ├── CatalogFaults          files of the catalog break its rules
    │   └── ReleaseDamaged         a release file is not what was written
    ├── SourceError                a department system                    (yishu.sources.errors)
    ├── ValidationError            expectations                           (expectations.errors)
    ├── LibraryError               unified database, subject library      (yishu.library.errors)
    ├── GovernanceError            what people may do and decide          (yishu.governance.errors)
    ├── SharingError               requests, grants and channels          (yishu.sharing.errors)
    ├── PipelineError              a stage of a run                       (yishu.pipeline.errors)
    └── ClockError                 working days and promises              (yishu.clocks.errors)

An error is permanent unless its class says ``retryable = True``; orchestration alone turns that
into Airflow's "do not retry".
"""

from typing import ClassVar


class YishuError(Exception):
    """An error that a person can act on.

    Attributes:
        code: Stable upper-case name for programs, e.g. ``CAT_NOT_CATALOGED``.
        obj: What the error is about: an entry id, a file, a column.
        found: What was there.
        expected: What should have been there.
        remedy: What to do now.
    """

    code: ClassVar[str] = "YISHU_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, obj: str, *, found: str, expected: str, remedy: str) -> None:
        self.obj = obj
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(obj, found, expected, remedy)

    def __str__(self) -> str:
        return (
            f"[{self.code}] {self.obj}: found {self.found}; expected {self.expected}. "
            f"Remedy: {self.remedy}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(kind: type[YishuError], args: tuple[str, ...], state: dict[str, str]) -> YishuError:
    error = kind.__new__(kind)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


class CatalogError(YishuError):
    """The catalog does not allow what was asked."""

    code = "CAT_ERROR"


class NotCataloged(CatalogError):
    """Data without a published catalog entry are not collected or shared (S004 Art.14, Art.15)."""

    code = "CAT_NOT_CATALOGED"


class ReleaseDamaged(CatalogError):
    """A release file cannot be read or is not what was written."""

    code = "CAT_RELEASE_DAMAGED"
