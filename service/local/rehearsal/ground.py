"""Where a season is rehearsed: a demo stack that runs, or one of its own."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.local.data_dir import DataDir
from service.local.environment import environment_of
from service.local.stack import run_stack
from service.local.status import read_status

_STAND_INS = ("registry", "bank", "sms")


class NoGround(RuntimeError):
    """There is nowhere to rehearse; the message says why, in Chinese."""


@dataclass(frozen=True)
class Ground:
    """A demo stack that is up: its door, and the directory that knows its stand-ins and its database."""

    address: str
    place: DataDir

    def stand_ins(self) -> dict[str, tuple[str, str]]:
        """Address and token of each stand-in's controls; NoGround where a real system stands in its place."""
        try:
            return {
                name: (f"http://127.0.0.1:{self.place.port_in_use(name)}", self.place.token(name))
                for name in _STAND_INS
            }
        except KeyError as missing:
            raise NoGround(f"{self.place.path} 里没有 {missing} 的替身：只能在演示环境里彩排。") from None

    def environment(self) -> dict[str, str]:
        """What a `zhida` command needs to look at this stack's database; NoGround where there is none."""
        own = environment_of(self.place)
        if not (own.get("ZHIDA_DATABASE_URL") or os.environ.get("ZHIDA_DATABASE_URL")):
            raise NoGround(f"{self.place.path} 里没有数据库，也没有给出 ZHIDA_DATABASE_URL。")
        return {**os.environ, **own}


@contextmanager
def find_ground(address: str | None, data: Path | None, usual: Path, *, wires: bool = False) -> Iterator[Ground]:
    """The stack at `address`; the one that runs in `data`, or else in `usual`; or one of its own, stopped after.

    With `wires` one of its own can be cut off from PostgreSQL and from the bank. With `data` it stays there; without,
    its directory is removed unless the rehearsal failed.
    Raises NoGround, service.local.stack.StackError.
    """
    place = DataDir(data or usual)
    running = read_status(place).address
    if address or running:
        yield Ground((address or running or "").rstrip("/"), place)
    elif data:
        with run_stack(data, wires=wires) as stack:
            yield Ground(stack.address, stack.place)
    else:
        with _temporary() as own, run_stack(own, wires=wires) as stack:
            yield Ground(stack.address, stack.place)


@contextmanager
def _temporary() -> Iterator[Path]:
    above = Path(tempfile.mkdtemp(prefix="zhida-rehearsal-"))
    above.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's PostgreSQL runs as somebody else
    kept = False
    try:
        yield above / "data"
    except Exception:
        kept = True
        print(f"彩排没有完成，留下 {above}", file=sys.stderr)
        raise
    finally:
        if not kept:
            shutil.rmtree(above, ignore_errors=True)
