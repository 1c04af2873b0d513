"""One part of a stack: a command line that must keep running, and the process it is at the moment."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.local.data_dir import PartState
from service.local.processes import of_session, send, started

#: A part that stays up this long has recovered: its next fall is answered at once again.
STEADY_SECONDS = 30
BACK_OFF_SECONDS = (0.1, 0.5, 1, 2, 4, 8, 15, 30)


@dataclass(frozen=True)
class Part:
    """What to start. `ready` is asked with the pid; `leaves` orders the end, lowest first.

    `patience` is how many seconds it gets to end by itself after `stop_signal`. A part that is not `trusted` is not
    told the secrets of the others.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: Callable[[int], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 4
    leaves: int = 0
    trusted: bool = True

    def environment_among(self, common: Mapping[str, str]) -> dict[str, str]:
        """Its whole environment, where `common` is what trusted parts get."""
        if self.trusted:
            return {**common, **self.environment}
        public = {"ZHIDA_DATA_DIR", "ZHIDA_PG_BIN", "ZHIDA_PG_AS"}
        plain = {name: value for name, value in common.items() if name in public or not name.startswith("ZHIDA_")}
        return {**plain, **self.environment}


@dataclass(frozen=True)
class Step:
    """What to run once, when every part before it is ready. `text` tells the person what happens.

    `shown`: its output is for the person; otherwise it goes to its log.
    """

    name: str
    text: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    shown: bool = False


class Running:
    """A part and the process it is at the moment, if any. Each start is a session, so that nothing outlives it."""

    def __init__(self, part: Part, environment: Mapping[str, str], directory: Path, log: Path) -> None:
        self.part = part
        self.restarts = 0
        self.is_ready = part.ready is None
        self._environment = part.environment_among(environment)
        self._directory = directory
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._pid_started: int | None = None
        self._falls = 0
        self._up_since = 0.0
        self._due = 0.0

    def start(self) -> None:
        """Start the process; its output is appended to the log."""
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                self.part.command,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        self._pid_started = started(self._process.pid)
        self._up_since = time.monotonic()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def state(self) -> PartState:
        """For the state file."""
        word = "running" if self._process else "restarting" if self._due else "stopped"
        return PartState(self.part.name, self.pid, self._pid_started, word, self.restarts, int(self.part.stop_signal))

    def notice_fall(self) -> str | None:
        """If the process ended: how, in Chinese; what it left is ended too and a restart is due."""
        code = self._process.poll() if self._process else None
        if self._process is None or code is None:
            return None
        end_session(self._process.pid)
        steady = time.monotonic() - self._up_since > STEADY_SECONDS
        self._falls = 0 if steady else self._falls
        self._due = time.monotonic() + BACK_OFF_SECONDS[min(self._falls, len(BACK_OFF_SECONDS) - 1)]
        self._falls += 1
        self._process = self._pid_started = None
        return f"信号 {-code}" if code < 0 else f"退出码 {code}"

    def restart_if_due(self) -> bool:
        """Start again when the back-off is over."""
        if self._process is not None or not self._due or time.monotonic() < self._due:
            return False
        self._due = 0.0
        self.restarts += 1
        self.start()
        return True

    def ask_ready(self) -> bool:
        """Whether it is up for the first time; remembered."""
        if not self.is_ready and self._process and self.part.ready:
            self.is_ready = self.part.ready(self._process.pid)
        return self.is_ready

    def ask_to_end(self) -> None:
        """Send the signal it ends by. Only to the process itself: a worker ends its own children warmly."""
        self._due = 0.0
        if self._process and self._process.poll() is None:
            send(self._process.pid, self.part.stop_signal)

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process is None or self._process.poll() is not None

    def end(self) -> None:
        """Whatever is left of it ends now."""
        if self._process:
            end_session(self._process.pid)
            self._process.wait()
        self._process = self._pid_started = None

    def log_tail(self) -> str:
        """The last lines it wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def end_session(leader: int) -> None:
    """SIGKILL to every process of a session that is ours."""
    for pid in of_session(leader):
        send(pid, signal.SIGKILL)
