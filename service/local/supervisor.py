"""Starts the parts of a plan in order, keeps them running, and stops them in order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import FrameType

from service.local.data_dir import DataDir
from service.local.parts import Part, Running, Step, end_session
from service.local.processes import has_in_environment, is_same, of_session, send, started

#: The checkout: parts run here, where `pyproject.toml`, `migrations/` and `data/` lie.
ROOT = Path(__file__).resolve().parents[2]
LOOK_EVERY_SECONDS = 0.1
READY_SECONDS_MAX = 90
FALLS_WHILE_STARTING_MAX = 5
TAKE_OVER_SECONDS_MAX = 8


class StopAsked(Exception):
    """A signal asked for the end."""


class StartFailed(RuntimeError):
    """A part or step did not do its work; the message, in Chinese, shows the end of its log."""


def say(line: str) -> None:
    """One line for the person. A terminal that went away must not keep the parts from being stopped."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - stays open: it replaces standard output


def take_over(place: DataDir) -> None:
    """Stop what a supervisor that was killed left running here. The caller holds the lock.

    A pid counts only with its start time, or, when the leader of a session is gone, with our mark in its environment.
    """
    left: dict[int, str] = {}
    for part in place.read_state().get("parts", []):
        if is_same(part["pid"], part["started"]):
            send(part["pid"], signal.Signals(part["stop_signal"]))
            left[part["pid"]] = part["name"]
        elif part["pid"] and _is_our_session(part["pid"], place):
            left[part["pid"]] = part["name"]
    if not left:
        return
    say(f"上次没有好好停下，先停下留下的：{'、'.join(left.values())}")
    deadline = time.monotonic() + TAKE_OVER_SECONDS_MAX
    while any(of_session(pid) for pid in left):
        for pid in left:
            if started(pid) is None or time.monotonic() > deadline:  # without its leader nobody ends it warmly
                end_session(pid)
        time.sleep(LOOK_EVERY_SECONDS)


def _is_our_session(leader: int, place: DataDir) -> bool:
    members = of_session(leader)
    return bool(members) and all(has_in_environment(p, "ZHIDA_DATA_DIR", str(place.path)) for p in members)


class Supervisor:
    """Runs one plan: parts that stay and steps that pass, in the order given.

    `environment` is what every part and step gets, besides its own.
    """

    def __init__(
        self,
        place: DataDir,
        plan: Sequence[Part | Step],
        environment: Mapping[str, str],
        address: str,
    ) -> None:
        self._place = place
        self._plan = plan
        self._environment = {**environment, "ZHIDA_DATA_DIR": str(place.path), "PYTHONUNBUFFERED": "1"}
        self._address = address
        self._since = time.time()
        self._running: list[Running] = []
        self._fell: dict[str, str] = {}
        self._stop_asked = False

    def run(self) -> None:
        """Start everything, say `ready ADDRESS`, watch until SIGINT, SIGTERM or SIGHUP, stop everything.

        Raises StartFailed when the start does not succeed; nothing is left running then either.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` means it
                signal.signal(number, self._ask_to_stop)
        try:
            self._write_state()
            self._start_all()
            say(f"ready {self._address}")
            while True:
                self._look()
        except StopAsked:
            say("正在停下 …")
        finally:
            self._stop_all()
        say("都停下了，数据还在。")

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_asked = True

    def _start_all(self) -> None:
        for item in self._plan:
            if isinstance(item, Step):
                self._wait_until_ready()
                self._run_step(item)
            else:
                say(f"启动 {item.name}")
                self._start(item)
        self._wait_until_ready()

    def _start(self, part: Part) -> None:
        running = Running(part, self._environment, ROOT, self._place.log(part.name))
        self._running.append(running)
        running.start()
        self._write_state()

    def _look(self) -> None:
        """One look at every part: notice who fell, start again who is due. Raises StopAsked."""
        if self._stop_asked:
            raise StopAsked
        changed = False
        for running in self._running:
            fell = running.notice_fall()
            if fell:
                self._fell[running.part.name] = fell
                changed = True
            elif running.restart_if_due():
                how = self._fell.get(running.part.name, "")
                say(f"{running.part.name} 停了（{how}），已重新启动，第 {running.restarts} 次")
                changed = True
        if changed:
            self._write_state()
        time.sleep(LOOK_EVERY_SECONDS)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while waiting := [running for running in self._running if not running.ask_ready()]:
            self._look()
            worst = max(waiting, key=lambda running: running.restarts)
            if worst.restarts > FALLS_WHILE_STARTING_MAX or time.monotonic() > deadline:
                raise StartFailed(f"{worst.part.name} 没有起来，它的日志最后说：\n{worst.log_tail()}")

    def _run_step(self, step: Step) -> None:
        say(step.text)
        log = self._place.log(step.name)
        with log.open("ab") as sink:
            process = subprocess.Popen(
                step.command,
                env={**self._environment, **step.environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=None if step.shown else sink,
                stderr=sink,
                start_new_session=True,
            )
        try:
            while process.poll() is None:
                self._look()
        finally:
            end_session(process.pid)
            process.wait()
        if process.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise StartFailed(f"{step.name} 没有做成（退出码 {process.returncode}），它的日志最后说：\n{tail}")

    def _stop_all(self) -> None:
        """By rank: doors and clocks first, then the worker, which finishes what it holds, servers last."""
        by_rank = sorted(self._running, key=lambda running: running.part.leaves)
        for _, group in groupby(by_rank, key=lambda running: running.part.leaves):
            members = list(group)
            for running in members:
                running.ask_to_end()
            deadline = time.monotonic() + max(running.part.patience for running in members)
            while time.monotonic() < deadline and not all(running.has_ended() for running in members):
                time.sleep(0.05)
            for running in members:
                running.end()
            self._write_state()
        self._place.write_state(self._since, None, [running.state() for running in self._running])

    def _write_state(self) -> None:
        self._place.write_state(self._since, self._address, [running.state() for running in self._running])
