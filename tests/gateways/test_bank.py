"""The bank's client against a bank that listens, hangs up, dies and comes back: nobody is ever paid twice."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.batch import AttemptStatus, PaymentLine
from domain.errors import Conflict, Invalid, Unavailable
from domain.reconciliation import AttemptFacts, ReturnLineFacts, VerdictKind, match
from service.gateways.asking import new_client
from service.gateways.bank import BankRefused, FileState, HttpBank
from service.gateways.bank_files import FORMS, BankFileHeader, ReturnFile, write
from service.gateways.bank_files.neutral import FORMAT, read_return
from tests.gateways.raw_server import answer, saying
from tests.gateways.stand_in import TOKEN, StandIn, bearer

ACCOUNT = "济南就业补助资金专户"


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn("bank", tmp_path) as bank:
        yield bank


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as client:
        yield client


@pytest.fixture
def bank(stand_in: StandIn, client: httpx.AsyncClient) -> HttpBank:
    return HttpBank(stand_in.url, TOKEN, client)


def payments(count: int, account: str = "62220216023456{:05d}") -> list[PaymentLine]:
    return [
        PaymentLine(f"ZD25{n:08d}", f"张{n}", account.format(n), "102451000016", 100_000 + n)
        for n in range(1, count + 1)
    ]


def made(file_id: str, lines: Sequence[PaymentLine]) -> tuple[bytes, str]:
    header = BankFileHeader(file_id, date(2025, 9, 18), ACCOUNT, len(lines), sum(line.amount_fen for line in lines))
    data = b"".join(write(FORMS[FORMAT], header, lines))
    return data, hashlib.sha256(data).hexdigest()


async def returned(bank: HttpBank, file_id: str) -> ReturnFile:
    data = await bank.fetch_return(file_id)
    assert data is not None
    return read_return(data)


async def unclear(bank: HttpBank, file_id: str, data: bytes, sha256: str) -> dict[str, Any]:
    with pytest.raises(Unavailable) as refusal:
        await bank.send(file_id, data, sha256)
    assert refusal.value.code == "bank.unclear"
    return refusal.value.facts


async def test_a_file_is_paid_and_every_line_reported(stand_in: StandIn, bank: HttpBank) -> None:
    lines = payments(5)
    data, sha256 = made("F1", lines)
    assert await bank.fetch_return("F1") is None
    await bank.send("F1", data, sha256)
    assert await bank.enquire("F1") == FileState("accepted", closed=False, sha256=sha256)
    read = await returned(bank, "F1")
    assert [(line.reference, line.amount_fen, line.code) for line in read.lines] == [
        (line.reference, line.amount_fen, "done") for line in lines
    ]
    assert stand_in.see("ledger") == [
        {"reference": line.reference, "amount_fen": line.amount_fen, "times": 1, "returned": False} for line in lines
    ]
    assert await bank.fetch_return("F1") == await bank.fetch_return("F1")


async def test_the_same_file_again_is_not_paid_again(stand_in: StandIn, bank: HttpBank) -> None:
    data, sha256 = made("F1", payments(3))
    await asyncio.gather(*(bank.send("F1", data, sha256) for _ in range(5)))
    assert [row["times"] for row in stand_in.see("ledger")] == [1, 1, 1]
    calls = stand_in.see("calls")
    assert (calls["received"], calls["resent"]) == (1, 4)


async def test_the_ledger_would_show_a_double_payment(stand_in: StandIn, bank: HttpBank) -> None:
    await bank.send("F1", *made("F1", payments(2)))
    await bank.send("F2", *made("F2", payments(1)))  # what the service must never do
    assert [row["times"] for row in stand_in.see("ledger")] == [2, 1]


async def test_other_bytes_under_a_known_id_are_unclear_not_refused(stand_in: StandIn, bank: HttpBank) -> None:
    first, sha256 = made("F1", payments(1))
    await bank.send("F1", first, sha256)
    facts = await unclear(bank, "F1", *made("F1", payments(2)))
    assert facts == {"reason": "status", "status": 409}  # the bank did pay something under this id
    assert (await bank.enquire("F1")).sha256 == sha256


@pytest.mark.parametrize(("mode", "paid"), [("drop_before", 0), ("drop_after", 3)])
async def test_a_bank_that_hangs_up_is_asked(stand_in: StandIn, bank: HttpBank, mode: str, paid: int) -> None:
    data, sha256 = made("F1", payments(3))
    stand_in.behave(mode=mode, until_calls=1)
    assert await unclear(bank, "F1", data, sha256) == {"reason": "broken"}
    assert len(stand_in.see("ledger")) == paid
    expected = FileState("accepted", sha256=sha256) if paid else FileState("not_received", closed=True)
    assert await bank.enquire("F1") == expected


async def test_a_closed_id_is_refused_for_ever(stand_in: StandIn, bank: HttpBank) -> None:
    assert await bank.enquire("F1") == FileState("not_received", closed=True)
    for _ in range(2):  # the file that was still on its way
        with pytest.raises(BankRefused):
            await bank.send("F1", *made("F1", payments(1)))
    assert await bank.enquire("F1") == FileState("not_received", closed=True)
    assert stand_in.see("ledger") == []
    assert await bank.fetch_return("F1") is None


async def test_closing_and_sending_at_once_have_one_outcome(stand_in: StandIn, bank: HttpBank) -> None:
    for n in range(10):
        file_id = f"F{n}"
        lines = [PaymentLine(f"ZD{n}", "张梅", "6222021602345601", "102451000016", 100)]
        sent, state = await asyncio.gather(
            bank.send(file_id, *made(file_id, lines)), bank.enquire(file_id), return_exceptions=True
        )
        assert isinstance(state, FileState)
        paid = any(row["reference"] == f"ZD{n}" for row in stand_in.see("ledger"))
        assert paid == (sent is None) == (state.state == "accepted")
        assert state.closed == isinstance(sent, BankRefused)


async def test_a_bank_that_closes_no_id_leaves_it_to_people(stand_in: StandIn, bank: HttpBank) -> None:
    stand_in.behave(can_close=False)
    assert await bank.enquire("F1") == FileState("not_received", closed=False)
    await bank.send("F1", *made("F1", payments(1)))
    assert (await bank.enquire("F1")).state == "accepted"


async def test_a_refusal_is_definite(stand_in: StandIn, bank: HttpBank) -> None:
    data, sha256 = made("F1", payments(2))
    stand_in.behave(mode="refuse", until_calls=1)
    with pytest.raises(BankRefused) as refusal:
        await bank.send("F1", data, sha256)
    assert isinstance(refusal.value, Conflict)
    assert (refusal.value.code, refusal.value.facts) == ("bank.refused", {"file_id": "F1"})
    with pytest.raises(BankRefused):  # and stays, when all is well again
        await bank.send("F1", data, sha256)
    assert (await bank.enquire("F1")).state == "refused"
    assert stand_in.see("ledger") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b",1000.01", b",9000.01"),
        (b"ZHIDA-PAY-1", b"OTHER-PAY-1"),
        (b"ZHIDA-PAY-1,F1", b"ZHIDA-PAY-1,F2"),
        (b"D,1", b"X,1"),
        (b"T,F1,2", b"T,F1,3"),
        (b"\r\nT,F1,2,2000.03", b""),
        (b",2000.03", b""),
    ],
)
async def test_the_bank_refuses_a_file_that_does_not_add_up(
    stand_in: StandIn, bank: HttpBank, old: bytes, new: bytes
) -> None:
    data, _ = made("F1", payments(2))
    assert old in data
    broken = data.replace(old, new)
    with pytest.raises(BankRefused):
        await bank.send("F1", broken, hashlib.sha256(broken).hexdigest())
    assert stand_in.see("ledger") == []


async def test_down_and_gone_are_unclear(stand_in: StandIn, bank: HttpBank) -> None:
    data, sha256 = made("F1", payments(1))
    stand_in.behave(mode="down")
    assert await unclear(bank, "F1", data, sha256) == {"reason": "status", "status": 503}
    stand_in.kill()
    assert await unclear(bank, "F1", data, sha256) == {"reason": "connect"}
    for ask in (bank.enquire, bank.fetch_return):
        with pytest.raises(Unavailable) as refusal:
            await ask("F1")
        assert (refusal.value.code, refusal.value.facts["reason"]) == ("bank.unavailable", "connect")


async def test_everything_survives_kill_9(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    data, sha256 = made("F1", payments(3))
    stand_in.behave(mode="well", bounce_every=2)
    await HttpBank(stand_in.url, TOKEN, client).send("F1", data, sha256)
    stand_in.kill()
    stand_in.start()
    bank = HttpBank(stand_in.url, TOKEN, client)
    assert await bank.enquire("F1") == FileState("accepted", sha256=sha256)
    assert [line.code for line in (await returned(bank, "F1")).lines] == ["done", "returned", "done"]
    await bank.send("F1", data, sha256)
    assert [row["times"] for row in stand_in.see("ledger")] == [1, 1, 1]
    assert stand_in.stop() == 0


async def test_what_bounces_and_what_fails(stand_in: StandIn, bank: HttpBank) -> None:
    lines = [*payments(3), PaymentLine("ZD26", "李雷", "6222021602340000", "102451000016", 5)]
    stand_in.behave(bounce_accounts=[lines[1].account])
    await bank.send("F1", *made("F1", lines))
    read = await returned(bank, "F1")
    assert [(line.code, line.reason) for line in read.lines] == [
        ("done", ""),
        ("returned", "account_closed"),
        ("done", ""),
        ("failed:permanent", "no_such_account"),
    ]
    assert [row["returned"] for row in stand_in.see("ledger")] == [False, True, False]  # what failed never left


async def test_money_that_comes_back_after_it_was_paid(stand_in: StandIn, bank: HttpBank) -> None:
    lines = payments(2)
    await bank.send("F1", *made("F1", lines))
    first = await returned(bank, "F1")
    assert stand_in.tell("return", {"references": [lines[0].reference, "NOBODY"]}) == {"returned": 1}
    second = await returned(bank, "F1")
    assert [line.code for line in first.lines] == ["done", "done"]
    assert [line.code for line in second.lines] == ["returned", "done"]
    assert [row["returned"] for row in stand_in.see("ledger")] == [True, False]


async def test_a_return_takes_its_time(stand_in: StandIn, bank: HttpBank) -> None:
    stand_in.behave(delay_ms=300)
    await bank.send("F1", *made("F1", payments(1)))
    assert await bank.fetch_return("F1") is None
    await asyncio.sleep(0.35)
    assert (await returned(bank, "F1")).line_count == 1


async def test_a_return_with_everything_wrong_still_adds_up(stand_in: StandIn, bank: HttpBank) -> None:
    lines = payments(6)
    await bank.send("F1", *made("F1", lines))
    stand_in.behave(amount_wrong=[lines[1].reference], drop_lines=2, stranger_lines=1, repeat=True)
    read = await returned(bank, "F1")
    sent = {line.reference: line for line in lines}
    status = dict.fromkeys(sent, AttemptStatus.SENT)
    verdicts = []
    for line in read.lines:
        known = sent.get(line.reference)
        attempt = known and AttemptFacts(known.reference, known.amount_fen, status[known.reference])
        verdict = match(attempt, ReturnLineFacts(line.reference, line.amount_fen, line.code))
        if verdict.kind is VerdictKind.SETTLED:
            status[line.reference] = AttemptStatus.DONE
        verdicts.append(str(verdict.exception or verdict.kind))
    again = ["settled", "repeat"]
    assert verdicts == [*again, *["amount_differs"] * 2, *again, *again, *["unknown_reference"] * 2]
    still_open = [reference for reference, at in status.items() if at is AttemptStatus.SENT]
    assert still_open == [lines[at].reference for at in (1, 4, 5)]
    stand_in.behave(amount_wrong=3)
    wrong = [line.amount_fen - sent[line.reference].amount_fen for line in (await returned(bank, "F1")).lines]
    assert wrong == [0, 0, 1, 0, 0, 1]


DATA, SHA = made("F1", payments(1))


def told(status: int = 200, **content: object) -> bytes:
    return answer(json.dumps(content).encode(), status)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        answer(b""),
        answer(b"OK"),
        answer(b"[" * 200_000),
        told(state="accepted"),
        told(state="accepted", sha256="0" * 64),
        told(state="ACCEPTED", sha256=SHA),
        told(state="not_received", sha256=SHA),
        told(state="refused", sha256=SHA),
        told(202, state="accepted", sha256=SHA),
        told(400, state="refused"),
        told(401),
        told(403, state="refused"),
        told(409, state="refused"),
        answer(b"<html>refused</html>", 422),
        told(500, state="accepted", sha256=SHA),
        told(502, state="refused"),
        answer(b"", 307, ["Location: /elsewhere"]),
        told(state="accepted", sha256=SHA)[:-3],
    ],
)
async def test_only_a_clear_yes_is_a_yes_and_only_a_clear_no_a_no(client: httpx.AsyncClient, said: bytes) -> None:
    async with saying(said) as url:
        await unclear(HttpBank(url, TOKEN, client), "F1", DATA, SHA)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        answer(b""),
        answer(b"{}"),
        told(state="gone"),
        told(404, state="not_received"),
        told(503),
        answer(b"[" * 9),
    ],
)
async def test_an_enquiry_without_a_clear_answer_closes_nothing(client: httpx.AsyncClient, said: bytes) -> None:
    async with saying(said) as url:
        with pytest.raises(Unavailable, match=r"bank\.unavailable"):
            await HttpBank(url, TOKEN, client).enquire("F1")
    async with saying(told(state="not_received"), said) as url:
        asked = HttpBank(url, TOKEN, client).enquire("F1")
        if said.startswith(b"HTTP/1.1 404"):
            assert await asked == FileState("not_received", closed=False)
        else:
            with pytest.raises(Unavailable, match=r"bank\.unavailable"):
                await asked


async def test_a_damaged_return_is_not_taken(client: httpx.AsyncClient) -> None:
    async with saying(answer(b"H,ZHIDA", headers=[f"X-Content-SHA256: {SHA}"])) as url:
        with pytest.raises(Unavailable, match=r"bank\.unavailable"):
            await HttpBank(url, TOKEN, client).fetch_return("F1")


@pytest.mark.parametrize("file_id", ["", "../control/ledger", "F 1", "F" * 36, "F1\n", "单"])
async def test_an_id_that_is_no_id_goes_nowhere(bank: HttpBank, file_id: str) -> None:
    for ask in (bank.enquire, bank.fetch_return):
        with pytest.raises(ValueError, match="file id"):
            await ask(file_id)
    with pytest.raises(ValueError, match="file id"):
        await bank.send(file_id, DATA, SHA)


async def test_a_hash_of_other_bytes_goes_nowhere(stand_in: StandIn, bank: HttpBank) -> None:
    with pytest.raises(ValueError, match="hash"):
        await bank.send("F1", DATA, "0" * 64)
    assert stand_in.see("calls") == {}


async def test_the_stand_in_cuts_its_first_returns_short_and_turns_them_round(
    stand_in: StandIn, bank: HttpBank
) -> None:
    await bank.send("F1", *made("F1", payments(3)))
    plain = await bank.fetch_return("F1")
    assert plain
    stand_in.behave(garble=3, shuffle=True)  # one was given
    for _ in range(2):
        short = await bank.fetch_return("F1")
        with pytest.raises(Invalid):
            read_return(short or b"")
    whole = await bank.fetch_return("F1")
    references = [[line.reference for line in read_return(each or b"").lines] for each in (plain, whole)]
    assert references[1] == references[0][::-1]


def test_the_stand_in_stores_nothing_damaged_or_nonsensical(stand_in: StandIn) -> None:
    damaged = httpx.post(f"{stand_in.url}/files/F1", content=DATA[:-1], headers={**bearer(), "X-Content-SHA256": SHA})
    assert damaged.status_code == 400
    state = httpx.get(f"{stand_in.url}/files/F1", headers=bearer())
    assert (state.json()["state"], state.headers["X-Zhida-Sample"]) == ("not_received", "1")
    assert httpx.get(f"{stand_in.url}/files/F1").status_code == 401
    assert httpx.get(f"{stand_in.url}/control/ledger").status_code == 401
    assert httpx.get(f"{stand_in.url}/files", headers=bearer()).status_code == 404
    for wish in ({"mode": "slow"}, {"bounce_every": "2"}, {"strange": 1}, []):
        refused = httpx.post(f"{stand_in.url}/control/behaviour", json=wish, headers=bearer())
        assert refused.status_code == 400
