"""The bank that plays along states its accounts as it booked them, and can be told to state them wrongly."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.batch import PaymentLine
from domain.errors import Invalid
from domain.statement import Block, Side, obstacle
from service.gateways.bank_files import BankFileHeader, write
from service.gateways.bank_files import neutral as pay
from service.gateways.statement_files import StatementFile, neutral
from service.local.bank import Bank
from service.local.listening import Request

ACCOUNT, DAY = "就业补助资金专户-370102", date(2026, 11, 2)


class Desk:
    def __init__(self, place: Path) -> None:
        self.bank = Bank(place)
        self.day = DAY

    def ask(self, path: str, body: Any) -> bytes:
        return self.bank.answer(Request("POST", path, {}, json.dumps(body).encode())).body

    def pay(self, file_id: str, *fen: int) -> list[str]:
        lines = [PaymentLine(f"{file_id}{at:04d}", "王某", f"6222{at:012d}1", "1", one) for at, one in enumerate(fen)]
        data = b"".join(write(pay, BankFileHeader(file_id, DAY, ACCOUNT, len(fen), sum(fen)), lines))
        with self.bank.memory.deed() as db:
            self.bank._store(db, file_id, data, self.bank.memory.next_behaviour())
        return [line.reference for line in lines]

    def state(self, wrong: str = "") -> StatementFile:
        """Of a day of its own each time."""
        self.day += timedelta(days=1)
        told = {"account": ACCOUNT, "day": self.day.isoformat(), "wrong": wrong}
        return neutral.read(self.ask("/control/statement", told))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_was_booked_since_the_last_statement_is_stated_once(desk: Desk) -> None:
    one, two = desk.pay("B1", 500, 700)
    first = desk.state()
    assert [(each.side, each.reference, each.amount_fen) for each in first.lines] == [
        (Side.DEBIT, one, 500),
        (Side.DEBIT, two, 700),
    ]
    desk.ask("/control/return", {"references": [two]})
    desk.ask("/control/credit", {"account": ACCOUNT, "amount_fen": 40, "text": "ZC0000001262"})
    second = desk.state()
    assert [(each.side, each.reference, each.text) for each in second.lines] == [
        (Side.CREDIT, two, "收款账户已销户，退回"),
        (Side.CREDIT, "", "ZC0000001262"),
    ]
    assert (second.span.sequence, second.span.opening_fen) == (2, first.span.closing_fen)
    again = {"account": ACCOUNT, "day": desk.day.isoformat()}
    assert neutral.read(desk.ask("/control/statement", again)) == second
    assert desk.state().lines in ([], ())


def test_a_file_is_stated_in_one_sum_where_the_bank_does_so(desk: Desk) -> None:
    desk.ask("/control/behaviour", {"mode": "well", "total_debits": True})
    desk.pay("B1", 500, 700)
    assert [(each.reference, each.amount_fen) for each in desk.state().lines] == [("B1", 1_200)]


def test_it_states_wrongly_when_it_is_told_to(desk: Desk) -> None:
    desk.pay("B1", 500, 700)
    for wrong, code in (("off", "sum_differs"), ("cut_off", "truncated")):
        with pytest.raises(Invalid) as caught:
            desk.state(wrong)
        assert caught.value.code in (f"statement.{code}", "statement.form", "statement.encoding")
    first = desk.state("loses_a_line")
    assert len(first.lines) == 1
    assert obstacle(first.span, desk.state("gap").span) is Block.GAP
