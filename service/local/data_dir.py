"""The data directory of one stack: its lock, its state, its secrets, its logs."""

import base64
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.local.ports import free_port, is_free
from service.local.processes import started

LOG_BYTES_MAX = 5_000_000


class DirectoryInUse(RuntimeError):
    """Another stack holds the directory; the message, in Chinese, says who."""


@dataclass(frozen=True)
class PartState:
    """One part as written down. `started` are clock ticks since boot; `stop_signal` is how it likes to be ended."""

    name: str
    pid: int | None
    started: int | None
    state: str  # running, restarting, stopped
    restarts: int
    stop_signal: int


class DataDir:
    """Paths and small files under one directory. Everything in it is for its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def make(self) -> None:
        """Make it. For root others may walk through (not look): PostgreSQL runs as somebody else.

        The rights of a directory that was there before stay as they are: it may hold other things.
        """
        if not self.path.exists():
            self.path.mkdir(parents=True)
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in ("logs", "files"):
            self.inner(name)

    def inner(self, name: str) -> Path:
        """A directory of its own in it."""
        inside = self.path / name
        inside.mkdir(exist_ok=True, mode=0o700)
        return inside

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the directory until the end of the block or of this process, whichever way it ends.

        Raises DirectoryInUse.
        """
        with (self.path / "lock").open("a") as file:  # not inherited: a child that survives us does not hold it
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DirectoryInUse(self._who_holds_it()) from None
            yield

    def _who_holds_it(self) -> str:
        state = self.read_state()
        holder = state.get("supervisor", {})
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.get("since", time.time())))
        address = state.get("address") or "还在启动"
        return (
            f"数据目录 {self.path} 正在使用：进程 {holder.get('pid', '？')}，自 {since} 起，地址 {address}。"
            "请先停下它，或用 --data 另选一个目录。"
        )

    def read_state(self) -> dict[str, Any]:
        """What the supervisor wrote last; empty when nothing ever ran here."""
        try:
            state: dict[str, Any] = json.loads((self.path / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return state

    def write_state(self, since: float, address: str | None, parts: list[PartState]) -> None:
        """Write down who runs what, so that the next start and `zhida status` know. `since` is in epoch seconds."""
        me = {"pid": os.getpid(), "started": started(os.getpid()), "since": since}
        state = {"supervisor": me, "address": address, "parts": [asdict(part) for part in parts]}
        write_private(self.path / "state.json", json.dumps(state, ensure_ascii=False, indent=1))

    def key_file(self) -> Path:
        """The keys that personal data are sealed and found with, made once (see `service/crypto.py`)."""
        file = self.path / "keys.json"
        if not file.exists():
            pair = {use: base64.b64encode(secrets.token_bytes(32)).decode() for use in ("seal", "index")}
            write_private(file, json.dumps({"current": "k1", "keys": {"k1": pair}}, indent=1))
        return file

    @property
    def clock_file(self) -> Path:
        """How many days the demo's clock is ahead; it is there only where a demo was started."""
        return self.path / "clock-offset"

    def port(self, name: str) -> int:
        """The port `name` had last time while it is free, else another."""
        known = self._remembered("ports")
        if not (name in known and is_free(known[name])):
            known[name] = free_port()
            write_private(self.path / "ports.json", json.dumps(known))
        return int(known[name])

    def port_in_use(self, name: str) -> int:
        """The port `name` was started on; KeyError when it never was."""
        return int(self._remembered("ports")[name])

    def token(self, name: str) -> str:
        """The secret shared with the stand-in `name`, made once."""
        known = self._remembered("tokens")
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            write_private(self.path / "tokens.json", json.dumps(known))
        return str(known[name])

    def _remembered(self, what: str) -> dict[str, Any]:
        file = self.path / f"{what}.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def log(self, name: str) -> Path:
        """Where `name` writes; a long log makes room when its writer starts."""
        file = self.inner("logs") / f"{name}.log"
        if file.exists() and file.stat().st_size > LOG_BYTES_MAX:
            file.replace(file.with_suffix(".log.1"))
        return file


def write_private(file: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only; a kill leaves the old one or the new one."""
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())  # keys that are lost in a power cut are lost for ever
    beside.replace(file)
