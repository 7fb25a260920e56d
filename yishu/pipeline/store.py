"""Where the stages of a run keep their files, and how they appear there: whole or not at all.

    <var>/landing/<department>/<entry>/<run>/      data.parquet (or parts/), receipt.json,
                                                   verdict.json
    <var>/quarantine/<department>/<entry>/<run>/   rows.parquet, released.parquet, ages.parquet
    <var>/library/                                 Delta tables (yishu.library)

Landing and quarantine may hold personal data, so their files are readable by the owner only.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yishu.pipeline.errors import StageMissing

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


def safe_name(run_id: str) -> str:
    """A run id as a folder name; distinct run ids stay distinct."""
    name = _UNSAFE.sub("_", run_id)
    if name == run_id and not name.startswith("."):
        return name
    return f"{name.lstrip('.')}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run of one entry."""

    landing: Path
    quarantine: Path

    @property
    def data(self) -> Path:
        """Landed rows, in the order in which the source gave them."""
        return self.landing / "data.parquet"

    @property
    def parts(self) -> Path:
        """Where the parts lie of a pull in ranges, instead of ``data``."""
        return self.landing / "parts"

    def landed_parts(self) -> list[Path]:
        """The parts that there are of a pull in ranges, in the order of their rows."""
        return sorted(self.parts.glob("part-*.parquet"))

    @property
    def keys(self) -> Path:
        """All keys of the source in their standard form, when a pull compared them."""
        return self.landing / "keys.parquet"

    @property
    def gone(self) -> Path:
        """Keys that a pull of changes deletes, while it is published."""
        return self.landing / "gone.parquet"

    @property
    def quarantined(self) -> Path:
        """Rows that failed, raw, each with every reason."""
        return self.quarantine / "rows.parquet"

    @property
    def released(self) -> Path:
        """Numbers of the quarantined rows that decisions let through."""
        return self.quarantine / "released.parquet"

    @property
    def ages(self) -> Path:
        """Since when each quarantined row is known, by its key."""
        return self.quarantine / "ages.parquet"

    def has(self, record: str) -> bool:
        """Whether a stage has finished and left its record."""
        return (self.landing / record).exists()

    def read_text(self, record: str, *, needed_by: str) -> str:
        """A stage's record as it was written.

        Raises:
            StageMissing: that stage has not finished for this run.
        """
        path = self.landing / record
        if not path.exists():
            raise StageMissing(
                str(path.parent.name),
                found=f"no {record}",
                expected=f"{record}, written by the stage before {needed_by}",
                remedy="run the earlier stage of this run first, or pull again",
            )
        return path.read_text("utf-8")

    def require_rows(self, *, needed_by: str) -> None:
        """The landed rows are still there.

        Raises:
            StageMissing: retention has removed them.
        """
        if not self.data.exists() and not self.landed_parts():
            raise StageMissing(
                str(self.landing.name),
                found="a receipt without its rows: their retention is over",
                expected=f"the landed rows, for {needed_by}",
                remedy="start a new run",
            )

    def forget(self, record: str) -> None:
        """Remove a stage's record, if there is one: the stage has to be done again."""
        (self.landing / record).unlink(missing_ok=True)

    def write_text(self, record: str, text: str) -> None:
        """Leave a stage's record, whole or not at all; it is the last thing that a stage does."""
        with whole_file(self.landing / record) as path:
            path.write_text(text, "utf-8")


def run_folder(var_dir: Path, entry_id: str, run_id: str) -> RunFolder:
    """The folder of a run; nothing is created."""
    department, _, entry = entry_id.partition(".")
    parts = Path(department) / entry / safe_name(run_id)
    return RunFolder(var_dir / "landing" / parts, var_dir / "quarantine" / parts)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, then put it in place: flushed, owner-only, atomic."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.chmod(0o600)
        with partial.open("rb") as handle:
            os.fsync(handle.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def clear_partial(folder: Path) -> None:
    """Remove what a killed stage left behind."""
    for leftover in folder.glob(".*.partial"):
        leftover.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def file_digest(*paths: Path) -> str:
    """SHA-256 of a file, hexadecimal; of several, through all of them as if they were one."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as handle:
            hashlib.file_digest(handle, lambda: digest)
    return digest.hexdigest()
