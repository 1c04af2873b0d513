"""The real service in a process of its own, on a database of its own: for tests that need HTTP but no workers."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from service.local.made_up import MadeUpPerson, Maker
from tests.conftest import ROOT
from tests.flows.office import PASSWORD, WELDER, Person
from tests.world import new_maker

READY_SECONDS_MAX = 60

#: What belongs to people and to money; sessions come and go, jobs and facts are the machine's own.
_KEPT = (
    *("people", "users", "accounts", "mandates", "claims", "claim_tally_deltas", "idempotency_keys", "journal"),
    *("jobs", "batches", "batch_signatures", "public_notices", "return_files", "door_refusals"),
    *("appropriations", "fund_movements"),
)


@dataclass
class Served:
    """A running service with the demo's cast."""

    address: str
    database_url: str
    log: Path
    maker: Maker = field(default_factory=new_maker)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.address, timeout=30)
        self._signed_in: dict[str, Person] = {}

    def sign_in(self, login: str) -> Person:
        if login not in self._signed_in:
            answer = self.http.post("/api/sign-in", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            self._signed_in[login] = Person(self.http, answer.json()["token"])
        return self._signed_in[login]

    @property
    def today(self) -> str:
        return str(self.http.get("/api/today").json()["today"])

    def trainee(self) -> tuple[Person, MadeUpPerson]:
        """A new trainee, signed in, and who they are."""
        made, login = self.maker.person(), f"t{uuid4().hex[:12]}"
        body = {"login": login, "password": PASSWORD, "name": made.name, "id_number": made.id_number}
        answer = self.http.post("/api/sign-up", json={**body, "phone": made.phone})
        assert answer.status_code == 201, answer.text
        return self.sign_in(login), made

    def claim_body(self, made: MadeUpPerson) -> dict[str, Any]:
        """A claim that is eligible today."""
        return {
            "item_code": WELDER,
            "level": "4",
            "district": "370102",
            "certificate_number": self.maker.certificate("4", int(self.today[:4])),
            "certificate_issued_on": self.today,
            "account": {"number": self.maker.card(), "holder": made.name, "bank_code": self.maker.bank_code()},
        }

    def mandate_body(self, made: MadeUpPerson) -> dict[str, Any]:
        return {
            "trainee": {"name": made.name, "id_number": made.id_number, "phone": made.phone},
            "signed_on": self.today,
            "valid_from": self.today,
            "valid_to": "2099-12-31",
            "document_sha256": "a" * 64,
            "fee_fen": 0,
        }

    async def kept(self) -> dict[str, int]:
        """How many rows each table of people and money holds."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in _KEPT}
        finally:
            await connection.close()


@contextmanager
def serve(app_url: str, owner_url: str, keys: Path) -> Iterator[Served]:
    """The service on a migrated database, with its cast, until the block ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    clock, log = keys.with_name("served-clock"), keys.with_name("served.log")
    clock.write_text("0")
    settings = {"DATABASE_URL": app_url, "KEY_FILE": str(keys), "DEMO": "1", "CLOCK_OFFSET": f"@{clock}"}
    environment = {**clean, **{f"ZHIDA_{name}": value for name, value in settings.items()}}
    owner = {**environment, "ZHIDA_OWNER_URL": owner_url}
    subprocess.run(
        [sys.executable, "-m", "service.cli", "cast"], cwd=ROOT, env=owner, check=True, capture_output=True
    )
    port = _free_port()
    options = ["--factory", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    command = [sys.executable, "-m", "uvicorn", "service.app:create_app", *options]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sink, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(process, address)
        yield Served(address, owner_url, log)
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/health", timeout=2).json() == {"database": "ok"}:
                return
        except (httpx.TransportError, json.JSONDecodeError):
            time.sleep(0.1)
    raise AssertionError("the service did not come up")
