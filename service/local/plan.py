"""What a whole Zhida on one machine consists of: which parts, in which order, with which environment."""

import http.client
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from service.local import broker, postgres
from service.local.data_dir import DataDir
from service.local.parts import Part, Step
from service.local.ports import is_free
from service.local.processes import of_session

#: Variables that only the supervisor and its steps may see.
OWNER_ONLY = "ZHIDA_OWNER_URL"

#: Memory for a season's working set, and checkpoints by the clock: with PostgreSQL's own 1 GB of log a large batch
#: falls into one, and writes every page it touches twice.
POSTGRES = {"max_connections": "200", "shared_buffers": "512MB", "max_wal_size": "4GB"}

#: Processes of the worker that work at the same time.
POOL = 2


class BadSetting(ValueError):
    """What was asked for cannot be started; the message is for the person, in Chinese."""


@dataclass
class Plan:
    """`items` in the order of starting; `environment` for every one of them; `address` of the door."""

    address: str
    environment: dict[str, str] = field(repr=False)
    items: list[Part | Step] = field(default_factory=list)


def whole_stack(place: DataDir, *, demo: bool, port: int | None = None, wires: bool = False) -> Plan:
    """The plan for `zhida up`. Servers that the environment names are used; the others are started here. With `wires`
    API and worker reach PostgreSQL and the bank over wires that can be cut.

    Raises BadSetting, postgres.PostgresError or broker.BrokerError.
    """
    if port is not None and not is_free(port):
        raise BadSetting(f"端口 {port} 已被占用，请换一个，或不写 --port。")
    door = port or place.port("api")
    given = {name: value for name, value in os.environ.items() if name != OWNER_ONLY}
    plan = Plan(
        f"http://127.0.0.1:{door}",
        {
            **given,
            "ZHIDA_DATA_DIR": str(place.path),
            "ZHIDA_KEY_FILE": os.environ.get("ZHIDA_KEY_FILE") or str(place.key_file()),
        },
    )
    owner = {OWNER_ONLY: _add_postgres(plan, place)}
    _add_broker(plan, place)
    if demo:
        place.clock_file.touch()
        plan.environment |= {"ZHIDA_DEMO": "1", "ZHIDA_CLOCK_OFFSET": f"@{place.clock_file}"}
        for name in ("registry", "bank", "sms"):
            _add_stand_in(plan, place, name)
    if wires:
        _add_wires(plan, place)
    plan.items.append(
        Step("migrate", "迁移数据库", [*_module("alembic"), "-c", "pyproject.toml", "upgrade", "head"], owner)
    )
    load = [*_module("service.cli"), "load", *(["--samples"] if demo else [])]
    plan.items.append(Step("load", "装载 data/ 里公布的事实", load, owner))
    _add_services(plan, place, door)
    if demo:
        plan.items.append(Step("cast", "演示人物就位", [*_module("service.cli"), "cast"], owner, shown=True))
    return plan


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def _add_postgres(plan: Plan, place: DataDir) -> str:
    """PostgreSQL, unless the environment names one. Answers the owner's URL."""
    named, owner = os.environ.get("ZHIDA_DATABASE_URL"), os.environ.get(OWNER_ONLY)
    if bool(named) != bool(owner):
        raise BadSetting("ZHIDA_DATABASE_URL 和 ZHIDA_OWNER_URL 要么都给，要么都不给。")
    if named and owner:
        return owner
    home = place.path / "postgres"
    access = postgres.prepare_access(home)
    plan.environment["ZHIDA_DATABASE_URL"] = access.app_url
    plan.items.append(
        Part(
            "postgres",
            postgres.command(home, options=POSTGRES),
            ready=lambda pid: postgres.answers(home, pid),
            stop_signal=signal.SIGINT,  # fast: sessions end, a checkpoint is written
            leaves=5,
            trusted=False,
        )
    )
    return access.owner_url


def _add_broker(plan: Plan, place: DataDir) -> None:
    """The broker, unless the environment names one."""
    if os.environ.get("ZHIDA_REDIS_URL"):
        return
    valkey = broker.prepare(place.path / "broker")
    plan.environment["ZHIDA_REDIS_URL"] = valkey.url
    plan.items.append(
        Part("broker", valkey.command, ready=lambda pid: valkey.answers(), patience=2, leaves=4, trusted=False)
    )


def _add_stand_in(plan: Plan, place: DataDir, name: str) -> None:
    """A foreign system that really listens, unless the environment names a real one."""
    url, token = f"ZHIDA_{name.upper()}_URL", f"ZHIDA_{name.upper()}_TOKEN"
    if os.environ.get(url):
        return
    port = place.port(name)
    secret = {token: place.token(name)}
    plan.environment |= {url: f"http://127.0.0.1:{port}", **secret}
    command = [*_module(f"service.local.{name}"), "--port", str(port), "--data", str(place.inner(name))]
    plan.items.append(Part(name, command, secret, _listens(port), patience=2, leaves=3, trusted=False))


def _add_wires(plan: Plan, place: DataDir) -> None:
    """Between API and worker and what they lean on; the tokens that cut them lie in the data directory."""
    lines = []
    for name, variable in (("database", "ZHIDA_DATABASE_URL"), ("bank", "ZHIDA_BANK_URL")):
        url = urlsplit(plan.environment[variable])
        port = place.port(f"wire-{name}")
        own = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{port}"))
        plan.environment[variable] = urlunsplit(own)
        lines.append(f"{name}:{port}:{url.port}")
    command = [*_module("service.local.wires"), "--tokens", str(place.inner("wires")), *lines]
    plan.items.append(Part("wires", command, ready=_listens(port), patience=1, leaves=4, trusted=False))


def _add_services(plan: Plan, place: DataDir, door: int) -> None:
    uvicorn = [*_module("uvicorn"), "service.app:create_app", "--factory", "--host", "127.0.0.1"]
    celery = [*_module("celery"), "-A", "tasks.worker"]
    quiet = ["--loglevel", "WARNING"]
    plan.items += [
        Part(
            "api",
            [*uvicorn, "--port", str(door), "--no-access-log", "--timeout-graceful-shutdown", "4"],
            ready=_healthy(door),
            patience=5,
            leaves=1,
        ),
        # Gossip and mingling are for workers that steer each other; ours only take messages.
        Part(
            "worker",
            [*celery, "worker", "--concurrency", str(POOL), "--without-gossip", "--without-mingle", *quiet],
            ready=lambda pid: len(of_session(pid)) > POOL,  # it forks its pool once every task is loaded
            patience=7,
            leaves=2,
        ),
        # The rhythm stands in the code. Celery's file of it, cut short by a power cut, keeps beat from ever starting.
        Part("beat", [*celery, "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile=", *quiet], leaves=1),
    ]


def _listens(port: int) -> Callable[[int], bool]:
    def ask(pid: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    return ask


def _healthy(port: int) -> Callable[[int], bool]:
    """`GET /health` answers 200."""

    def ask(pid: int) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            line.request("GET", "/health")
            return line.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    return ask
