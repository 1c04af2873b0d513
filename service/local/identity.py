"""Which user a server may run as: PostgreSQL refuses root, and `nobody` cannot reach into a 0700 home."""

import ctypes
import os
import pwd
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


class Way(StrEnum):
    """How to be somebody PostgreSQL accepts: `ZHIDA_PG_AS`, or else the first that works."""

    SELF = "self"  # an ordinary user: as we are
    NOBODY = "nobody"  # root gives its rights up
    NAMESPACE = "namespace"  # the same user, seen from inside under another number and without root's rights


@dataclass(frozen=True)
class Identity:
    """`uid` and `gid` own the files, as seen from outside."""

    way: Way
    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Whether mode bits let this user walk to `path` (symbolic links resolved) and read or enter it."""
        path = path.resolve()
        return all(self._may_enter(parent) for parent in (path, *path.parents))

    def _may_enter(self, path: Path) -> bool:
        mode = path.stat()
        bit = 0o500 if mode.st_uid == self.uid else 0o050 if mode.st_gid == self.gid else 0o005
        if path.is_dir():
            bit &= 0o111
        return mode.st_mode & bit == bit

    def put_on(self) -> None:
        """Turn this process into that user, for good. Raises OSError when the machine does not allow it."""
        os.umask(0o077)
        if self.way is Way.NOBODY:
            os.setgroups([])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
        elif self.way is Way.NAMESPACE:
            _enter_namespace()


def _enter_namespace() -> None:
    """Map our own id to some other named user: `initdb` wants a name for the number it runs under."""
    uid, gid = os.geteuid(), os.getegid()
    seen_as = next(entry for entry in pwd.getpwall() if entry.pw_uid)
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{seen_as.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{seen_as.pw_gid} {gid} 1")


def _namespace_works() -> bool:
    """Tried in a child, because a namespace once entered cannot be left."""
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _nobody() -> Identity:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Identity(Way.NOBODY, 65534, 65534)
    return Identity(Way.NOBODY, entry.pw_uid, entry.pw_gid)


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def choose(must_reach: list[Path]) -> Identity:
    """The identity that can run PostgreSQL and reach these paths.

    When root finds none that reaches them, the answer is `nobody`, and the caller moves things to a place
    that it reaches.
    """
    uid, gid = os.geteuid(), os.getegid()
    own, boxed, nobody = Identity(Way.SELF, uid, gid), Identity(Way.NAMESPACE, uid, gid), _nobody()
    wanted = os.environ.get("ZHIDA_PG_AS", "")
    if wanted:
        return {Way.SELF: own, Way.NAMESPACE: boxed, Way.NOBODY: nobody}[Way(wanted)]
    if uid != 0:
        return own if _has_name(uid) else boxed
    if all(nobody.can_reach(path) for path in must_reach):
        return nobody
    if all(boxed.can_reach(path) for path in must_reach) and _namespace_works():
        return boxed
    return nobody
