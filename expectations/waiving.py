"""Adding a waiver to the decisions about an entry: below the others, none of which is touched."""

import os
import re
import tempfile
from datetime import date
from pathlib import Path

import yaml
from pydantic import ValidationError

from catalog.model import Scope
from expectations.errors import RulebookFaulty
from expectations.rulebook import SUITES, Rulebook, Waiver, rulebook

_SECTION = re.compile(r"^waivers:[^\n]*\n(?:(?:[ #-][^\n]*)?\n)*", re.MULTILINE)


def waiver(
    entry_id: str,
    check: str,
    *,
    scope: Scope | None,
    since: date,
    until: date,
    author: str,
    reason: str,
    folder: Path = SUITES,
) -> Waiver:
    """A waiver under an id of its own.

    Raises:
        RulebookFaulty: no reason, or it would end before it begins.
    """
    first = f"{check}-{since:%Y%m%d}"
    taken = {one.id for one in rulebook(entry_id, folder).waivers}
    number = next(n for n in range(1, len(taken) + 2) if f"{first}-{n}" not in taken)
    values = {"id": f"{first}-{number}", "check": check, "scope": scope, "since": since}
    try:
        return Waiver.model_validate({**values, "until": until, "author": author, "reason": reason})
    except ValidationError as error:
        raise _faulty(entry_id, error) from None


def waive(entry_id: str, wanted: Waiver, folder: Path = SUITES) -> Path:
    """Write a waiver into the file of an entry, as a whole or not at all.

    Raises:
        RulebookFaulty: with it the file would break its rules, or the file cannot be written.
    """
    path = folder / f"{entry_id}.yaml"
    text = path.read_text("utf-8") if path.exists() else f"entry: {entry_id}\n"
    changed = _with(text.rstrip("\n") + "\n", wanted)
    try:
        Rulebook.model_validate(_parsed(path, changed))
        _swap(path, changed)
    except ValidationError as error:
        raise _faulty(entry_id, error) from None
    except OSError as error:
        raise RulebookFaulty(
            f"expectations/suites/{path.name}",
            found=str(error.strerror),
            expected="a folder that this process may write to",
            remedy="let it write there, or add the waiver where the folder is kept",
        ) from error
    return path


def _parsed(path: Path, text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RulebookFaulty(
            f"expectations/suites/{path.name}",
            found="waivers to which no line can be added, e.g. [] on the line of the key",
            expected="a list with a dash before each",
            remedy="write the list so, or leave the empty key out",
        ) from error


def _with(text: str, wanted: Waiver) -> str:
    plain = wanted.model_dump(mode="json", exclude_none=True)
    plain |= {"since": wanted.since, "until": wanted.until}
    listed = yaml.safe_dump([plain], allow_unicode=True, sort_keys=False, width=100)
    lines = "".join(f"  {line}\n" for line in listed.splitlines())
    section = _SECTION.search(text)
    if section is None:
        return f"{text}waivers:\n{lines}"
    return text[: section.end()] + lines + text[section.end() :]


def _swap(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _faulty(entry_id: str, error: ValidationError) -> RulebookFaulty:
    told = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return RulebookFaulty(
        f"expectations/suites/{entry_id}.yaml",
        found="; ".join(told),
        expected="a waiver with check, reason, and a last day that is not before its first",
        remedy="correct what is named",
    )
