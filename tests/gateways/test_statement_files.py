"""Statements as files: read whole or not at all, whatever is done to them."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.statement import CHARGE
from service.gateways.statement_files import StatementFile, camt053, neutral
from tests import statements

ACCOUNT, DAY = "就业补助资金专户-370102", date(2026, 11, 2)
LINES: list[statements.Line] = [
    ("D", 180_000, "ZD2026000000010000000001", "王某", ""),
    ("C", 180_000, "ZD2026000000010000000001", "", "账户已销户"),
    ("C", 5_000, "", "李某", "退款 ZC0000001262"),
    ("D", 150, "CHARGE", "", ""),
]
GOOD = statements.neutral(ACCOUNT, 3, DAY, LINES)
XML = statements.camt053(ACCOUNT, 3, DAY, LINES)


def test_both_forms_say_the_same() -> None:
    plain, message = neutral.read(GOOD), camt053.read(XML)
    assert plain == message
    assert (plain.account, plain.span.sequence, plain.credits_fen, plain.debits_fen) == (ACCOUNT, 3, 185_000, 180_150)
    assert plain.lines[3].reference == CHARGE
    assert plain.lines[2].text == "退款 ZC0000001262"


def test_a_statement_without_lines_is_one() -> None:
    for read, data in (
        (neutral.read, statements.neutral(ACCOUNT, 1, DAY, [])),
        (camt053.read, statements.camt053(ACCOUNT, 1, DAY, [])),
    ):
        assert read(data).lines in ([], ())


def changed(old: str, new: str) -> bytes:
    assert old.encode() in GOOD
    return GOOD.replace(old.encode(), new.encode(), 1)


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "form", "header"),
        (GOOD[: len(GOOD) // 2].rpartition(b"\r\n")[0] + b"\r\n", "truncated", "trailer"),
        (GOOD.decode().encode("gb18030"), "encoding", "file"),
        (changed("D,1800.00", "D,NaN"), "amount", "line 1"),
        (changed("D,1800.00", "D,1.8e3"), "amount", "line 1"),
        (changed("D,1800.00", "D,-1800.00"), "amount", "line 1"),
        (changed("D,1800.00", "D,1800.0"), "amount", "line 1"),
        (changed("D,1800.00", "D,0.00"), "amount", "line 1"),
        (changed("D,1800.00", f"D,{10**30}.00"), "amount", "line 1"),
        (changed("D,1800.00", "D,１800.00"), "amount", "line 1"),
        (changed("C,1800.00", "C,1800.01"), "sum_differs", "header"),
        (changed("L,2,", "L,3,"), "form", "line 2"),
        (changed("L,2,2026-11-02", "L,2,2026-11-03"), "day_outside", "line 2"),
        (changed("L,2,2026-11-02", "L,2,2026-11-31"), "form", "line 2"),
        (changed(",C,1800", ",X,1800"), "form", "line 2"),
        (changed(f"{ACCOUNT}-3-1", f"{ACCOUNT}-3-0"), "key_repeats", "line 2"),
        (changed("李某", "李\u200b某"), "form", "line 3"),
        (changed("李某", "李" * 201), "form", "line 3"),
        (changed("T,", "T,x"), "form", "trailer"),
        (GOOD + b"L,5\r\n", "after_trailer", "trailer"),
        (statements.neutral(ACCOUNT, 3, DAY, LINES, count=5), "count_differs", "header"),
        (statements.neutral(ACCOUNT, 3, DAY, LINES, to_on=date(2026, 11, 1)), "day_outside", "line 1"),
        (b"\xef\xbb\xbf" + GOOD, "form", "header"),
        (changed('"', "") if b'"' in GOOD else GOOD.replace(b"CHARGE", b'"CHARGE'), "form", "line 4"),
    ],
)
def test_a_bad_neutral_statement_is_refused_with_its_place(data: bytes, code: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        neutral.read(data)
    assert (caught.value.code, caught.value.field) == (f"statement.{code}", field)


_BOMB = b"<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "xml", "file"),
        (b"not xml", "xml", "file"),
        (XML[: XML.index(b"</Ntry>") + 20], "xml", "line 2"),
        (XML.replace(b"?>", b"?>" + _BOMB, 1), "xml", "file"),
        (XML.replace(b"?>", b"?><!DOCTYPE d SYSTEM 'file:///etc/passwd'>", 1), "xml", "file"),
        (XML.replace(b"encoding='UTF-8'", b"encoding='US-ASCII'"), "xml", "file"),
        (XML.replace(b"camt.053.001.08", b"camt.053.001.02"), "form", "header"),
        (XML.replace(b">1800.00<", b">NaN<", 1), "amount", "line 1"),
        (XML.replace(b">1800.00<", b">1E9<", 1), "amount", "line 1"),
        (XML.replace(b">1800.00<", b">1800.001<", 1), "amount", "line 1"),
        (XML.replace(b">1800.00<", b">" + b"9" * 30 + b"<", 1), "amount", "line 1"),
        (XML.replace(b"Ccy='CNY'>1800", b"Ccy='USD'>1800", 1), "currency", "line 1"),
        (XML.replace(b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>", 1), "not_booked", "line 1"),
        (XML.replace(b"DBIT", b"XXXX", 1), "form", "line 1"),
        (XML.replace(b"-3-1<", b"-3-0<", 1), "key_repeats", "line 2"),
        (XML.replace(b"<Cd>CLBD</Cd>", b"<Cd>CLAV</Cd>"), "form", "header"),
        (XML.replace(b"<ElctrncSeqNb>3<", b"<ElctrncSeqNb>0<"), "form", "header"),
    ],
)
def test_a_bad_message_is_refused_with_its_place(data: bytes, code: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        camt053.read(data)
    assert (caught.value.code, caught.value.field) == (f"statement.{code}", field)


@pytest.mark.parametrize(("read", "good"), [(neutral.read, GOOD), (camt053.read, XML)])
@given(data=st.data())
def test_a_damaged_statement_is_refused_or_still_adds_up(
    read: Callable[[bytes], StatementFile], good: bytes, data: st.DataObject
) -> None:
    at, byte = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 255))
    try:
        file = read(good[:at] + bytes([byte]) + good[at + 1 :])
    except Invalid:
        return
    assert file.span.opening_fen + file.credits_fen - file.debits_fen == file.span.closing_fen
