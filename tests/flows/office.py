"""What people do in a season, through HTTP alone: for flow tests. Nothing here touches the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from service.local.made_up import Maker
from service.local.sample_codes import SampleCodes
from service.local.stack import StackHandle
from tests.world import new_maker

PASSWORD = "zhida-demo"
WELDER = "6-18-02-04"
WAIT_SECONDS_MAX = 60
_CODES = SampleCodes()


def wait_for(what: str, asked: Callable[[], Any]) -> Any:
    """The first answer that is true; fails with `what` when none comes in time."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            if answer := asked():
                return answer
        except (httpx.TransportError, httpx.HTTPStatusError):
            pass  # a part was killed and comes back
        time.sleep(0.2)
    raise AssertionError(f"waited {WAIT_SECONDS_MAX} s for: {what}")


@dataclass
class Person:
    """Somebody signed in."""

    http: httpx.Client
    token: str

    def post(self, path: str, body: Any, key: str | None = None, step_up: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or str(uuid4())}
        headers |= {"Zhida-Step-Up": step_up} if step_up else {}
        return self.http.post(path, json=body, headers=headers)

    def do(self, path: str, body: Any, key: str | None = None, step_up: str = "") -> Any:
        """Post until the service answers (a part may be away), always with the same key."""
        key = key or str(uuid4())

        def answer() -> httpx.Response | None:
            response = self.post(path, body, key, step_up)
            return None if response.status_code in {500, 503} else response

        response = wait_for(f"an answer from {path}", answer)
        assert response.is_success, response.text
        return response.json()

    def see(self, path: str) -> Any:
        response = self.http.get(path, headers={"Authorization": f"Bearer {self.token}"})
        response.raise_for_status()
        return response.json()


@dataclass
class Office:
    """A running stack and its people."""

    stack: StackHandle
    district: str = "370102"
    maker: Maker = field(default_factory=new_maker)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.stack.address, timeout=20)
        self._signed_in: dict[str, Person] = {}

    def sign_in(self, login: str) -> Person:
        if login not in self._signed_in:
            answer = self.http.post("/api/sign-in", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            self._signed_in[login] = Person(self.http, answer.json()["token"])
        return self._signed_in[login]

    def staff(self, post: str) -> Person:
        return self.sign_in(f"{post}-{self.district}")

    @property
    def today(self) -> str:
        return str(self.http.get("/api/today").json()["today"])

    def trainee(self) -> tuple[Person, Any]:
        """A new trainee with a login, and who they are."""
        made = self.maker.person()
        return self.sign_in(self.sign_up(made)), made

    def sign_up(self, made: Any) -> str:
        """The login that somebody has given themselves."""
        login = f"t{uuid4().hex[:12]}"
        body = {"login": login, "password": PASSWORD, "name": made.name, "id_number": made.id_number}
        answer = self.http.post("/api/sign-up", json={**body, "phone": made.phone})
        assert answer.status_code == 201, answer.text
        return login

    def certificate(self, made: Any, *, level: str = "4", known: bool = True) -> str:
        """A certificate, told to the registry unless it should not know it."""
        number = self.maker.certificate(level, int(self.today[:4]))
        if known:
            entry = {
                "number": number,
                "holder_name": made.name,
                "id_number": made.id_number,
                "occupation_code": WELDER,
                "level": level,
                "issued_on": self.today,
            }
            self.tell("registry", "/control/certificates", [entry])
        return number

    def claim_body(self, made: Any, number: str, **other: Any) -> dict[str, Any]:
        return {
            "item_code": WELDER,
            "level": "4",
            "district": self.district,
            "certificate_number": number,
            "certificate_issued_on": self.today,
            "account": {"number": self.maker.card(), "holder": made.name, "bank_code": self.maker.bank_code()},
            **other,
        }

    def tell(self, name: str, path: str, body: Any) -> Any:
        """Speak to a stand-in's controls."""
        url, token = self.stack.stand_in(name)
        answer = httpx.post(f"{url}{path}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        assert answer.is_success, answer.text
        return answer.json()

    def ledger(self) -> dict[str, Any]:
        """The bank's own book: reference → what was paid."""
        url, token = self.stack.stand_in("bank")
        answer = httpx.get(f"{url}/control/ledger", headers={"Authorization": f"Bearer {token}"}, timeout=20)
        return {row["reference"]: row for row in answer.json()}

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.sign_in("operator").see("/api/operations")["at"])

    def outside(self, name: str) -> dict[str, Any]:
        """How it stands with a service that is not ours, as operators read it."""
        told = self.sign_in("operator").see("/api/operations/outside")["outside"]
        return next(dict(each) for each in told if each["service"] == name)

    def let_the_registry_rest(self, seconds: int) -> tuple[list[str], datetime]:
        """Claims that nobody asks about for so many seconds at least, and until when: each rest is longer than the
        last. The registry stays silent."""
        self.tell("registry", "/control/behaviour", {"mode": "down"})
        claims = []
        for _ in range(6):
            trainee, made = self.trainee()
            claims.append(trainee.do("/api/claims", self.claim_body(made, self.certificate(made)))["id"])
        *_, until = [self.wait_until_it_rests(longer) for longer in (5, 15, seconds)]
        return claims, until

    def wait_until_it_rests(self, seconds: int) -> datetime:
        """Wait until nobody asks the registry for so many seconds at least; until when."""

        def rests() -> datetime | None:
            told = self.outside("registry")["resting_until"]
            until = datetime.fromisoformat(told) if told else None
            return until if until and until - self.now > timedelta(seconds=seconds) else None

        until: datetime = wait_for(f"the registry to rest for {seconds} s", rests)
        return until

    def status(self, claim_id: str) -> str:
        return str(self.sign_in("auditor").see(f"/api/claims/{claim_id}")["status"])

    def wait_until(self, claim_id: str, *statuses: str) -> str:
        """Wait until the claim stands in one of `statuses`."""

        def arrived() -> str | None:
            status = self.status(claim_id)
            return status if status in statuses else None

        return str(wait_for(f"{claim_id} to be {statuses}", arrived))

    def publish_and_let_pass(self) -> None:
        """Publish my district's approved claims, looked at again where that is asked for; let the period end."""
        second = self.staff("second")
        for each in second.see("/api/work?limit=200")["work"]:
            second.do(f"/api/claims/{each['claim_id']}/second-review", {"finding": "confirmed"})
        notice = self.staff("publisher").do("/api/notices", {})
        while self.today <= notice["closes_on"]:
            assert self.http.post("/api/demo/clock", json={"days": 1}).status_code == 201

    def sign(self, post: str, step: str, batch_id: str, body: Any) -> Any:
        """Sign as this post, with the next code of the telephone; `step` is submit, check or release."""
        sign = {"purpose": f"batch.{'assemble' if step == 'submit' else step}", "subject": batch_id}
        return self.staff(post).do(f"/api/batches/{batch_id}/{step}", body, step_up=self.prove(post, sign))

    def prove(self, post: str, sign: dict[str, str]) -> str:
        """A step-up of this post for one thing, by the next code of the telephone."""
        while True:
            code, wait = _CODES.next(f"{post}-{self.district}")
            time.sleep(wait)
            proof = {"password": PASSWORD, "code": code, "signs": [sign]}
            granted = self.staff(post).post("/api/step-up", proof)
            if granted.is_success:
                return str(granted.json()["token"])
            assert granted.json()["code"] == "step_up.used", granted.text

    def pay(self, fund: str = "employment_subsidy") -> dict[str, Any]:
        """One batch of what a fund owes in my district, through three persons, to its end."""
        batch = self.staff("maker").do("/api/batches", {"fund": fund, "filter": {}})
        frozen = self.wait_for_batch(batch["id"], "frozen")
        shown = {name: frozen[name] for name in ("content_hash", "line_count", "sum_fen")}
        self.sign("maker", "submit", batch["id"], shown)
        self.sign("checker", "check", batch["id"], shown)
        voucher = {"voucher": f"V{uuid4().hex[:10]}", "transferred_on": self.today}
        self.sign("releaser", "release", batch["id"], {**shown, **voucher})
        return self.wait_for_batch(batch["id"], "settled", "not_received")

    def wait_for_batch(self, batch_id: str, *statuses: str) -> dict[str, Any]:
        def arrived() -> Any:
            batch = self.staff("maker").see(f"/api/batches/{batch_id}")
            return batch if batch["status"] in statuses else None

        return dict(wait_for(f"batch {batch_id} to be {statuses}", arrived))
