"""A whole stack as a child process: for the rehearsal and for tests."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from service.local.data_dir import DataDir
from service.local.status import read_status
from service.local.supervisor import ROOT

READY_SECONDS_MAX = 180
STOP_SECONDS_MAX = 40


class StackError(RuntimeError):
    """The stack did not come up; the message holds what it printed."""


@dataclass
class StackHandle:
    """A stack that is up. As a context manager it stops at the end of the block."""

    address: str
    process: subprocess.Popen[bytes]
    place: DataDir
    output: Path  # what the supervisor prints: one line a restart, the sign-in names

    def part_pid(self, name: str) -> int | None:
        """The process id of a part right now (None between a fall and its restart)."""
        return read_status(self.place).pid(name)

    def stand_in(self, name: str) -> tuple[str, str]:
        """Address and token of the stand-in `registry`, `bank` or `sms`, for its controls."""
        return f"http://127.0.0.1:{self.place.port_in_use(name)}", self.place.token(name)

    def stop(self) -> None:
        """Stop every part in order, as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise StackError(f"the stack in {self.place.path} did not stop and was killed") from None

    def __enter__(self) -> "StackHandle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run_stack(
    data: Path,
    *,
    demo: bool = True,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    wires: bool = False,
) -> StackHandle:
    """Run `zhida up` on `data` and wait until it is ready. Raises StackError with what it printed.

    With `wires` the lines to PostgreSQL and to the bank can be cut. `environment` replaces this process's for the
    stack and all its parts.
    """
    place = DataDir(data)
    place.make()
    command = [sys.executable, "-m", "service.cli", "up", "--data", str(place.path)]
    command += ["--demo"] if demo else []
    command += ["--wires"] if wires else []
    command += ["--port", str(port)] if port else []
    output = place.log("up")
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    handle = StackHandle("", process, place, output)
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not (address := _ready_address(output)):
        if process.poll() is not None or time.monotonic() > deadline:
            handle.stop()
            raise StackError(output.read_text(errors="replace"))
        time.sleep(0.05)
    handle.address = address
    return handle


def _ready_address(output: Path) -> str:
    lines = output.read_text(errors="replace").splitlines()
    return next((line.split()[1] for line in lines if line.startswith("ready http")), "")
