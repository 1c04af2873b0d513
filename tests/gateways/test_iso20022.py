"""ISO 20022: what is written validates against the published schema, and what another program answers is read."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mockbank import accounts
from mockbank.server import Config
from mockbank.state import State

from domain.agent_bank import BankFormat
from domain.batch import PaymentLine
from domain.errors import Invalid
from service.gateways import bank_files
from service.gateways.bank_files import FORMS, BankFileHeader, ReturnFile, ReturnLine
from service.gateways.bank_files.iso20022 import read_return

GOLDEN = Path(__file__).parent / "golden"
ISO = FORMS[BankFormat.ISO20022]
LINES = [
    PaymentLine("ZD250000010001", "张梅", "6222021602012345678", "102451000016", 150_000),
    PaymentLine("ZD250000010002", "阿依古丽·买买提", "6222021602012345686", "102451000016", 100_005),
    PaymentLine("ZD250000010003", "𠮷田<&>]]>", "6222021602012340000", "102451000016", 70_000),
    PaymentLine("ZD250000010004", "=SUM(A1)", "37001602345", "105451000018", 1),
]
HEADER = BankFileHeader("ZDF-2025-000001", date(2025, 9, 18), "济南就业补助资金专户", 4, 320_006, "示例银行济南分行")


def write(header: BankFileHeader, lines: Iterable[PaymentLine]) -> bytes:
    return b"".join(bank_files.write(ISO, header, lines))


@cache
def schema() -> xmlschema.XMLSchema:
    """The published schema of pain.001.001.09, as the package sepaxml carries it."""
    return xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd"))


def refusal(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        act()
    return refused.value.code, refused.value.field


def test_the_bytes_are_golden_and_valid() -> None:
    data = write(HEADER, LINES)
    assert data == (GOLDEN / "pain.001.xml").read_bytes()
    schema().validate(data.decode())
    broken = data.replace(b"<PmtMtd>TRF</PmtMtd>", b"")
    assert not schema().is_valid(broken.decode())


@pytest.mark.parametrize(
    ("cell", "text"), [("payee", "梅" * 141), ("account", "1" * 35), ("bank_code", "1" * 29), ("payee", "张\uffff")]
)
def test_what_the_message_cannot_hold_is_refused(cell: str, text: str) -> None:
    line = replace(LINES[0], **{cell: text})  # type: ignore[arg-type]  # the cell varies
    code = refusal(lambda: write(replace(HEADER, line_count=1, sum_fen=line.amount_fen), [line]))
    assert code == ("bank_file.not_carried", "line 1")


@settings(max_examples=40, deadline=None)
@given(st.text("张梅·𠮷㐂\ue863<&>]'\"é\u3000 a0", min_size=1, max_size=140), st.integers(1, 10**12))
def test_whatever_is_written_is_valid_and_read_back(payee: str, amount_fen: int) -> None:
    assume(payee.strip())
    data = write(
        replace(HEADER, line_count=1, sum_fen=amount_fen), [replace(LINES[0], payee=payee, amount_fen=amount_fen)]
    )
    assert schema().is_valid(data.decode())
    ns = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    (found,) = ET.parse(io.BytesIO(data)).iterfind(".//p:CdtTrfTxInf", ns)
    assert found.findtext(".//p:Cdtr/p:Nm", namespaces=ns) == payee
    assert found.findtext(".//p:InstdAmt", namespaces=ns) == f"{amount_fen // 100}.{amount_fen % 100:02d}"


# ---- what mock-bank, a program of others, answers


ACCOUNT = "NL14MOCK0000000099"


@pytest.fixture
def bank() -> Iterator[State]:
    state = State(Config(clock="2025-09-18T09:00"))
    about = {"name": "JN", "iban": ACCOUNT, "currency": "CNY", "balance": 10**9}
    accounts.create(state.conn, "jn", about)
    yield state
    state.close()


def given_back(bank: State, kind: str) -> list[bytes]:
    rows = bank.conn.execute("SELECT body FROM message WHERE type = ? ORDER BY id", (kind,))
    return [row[0].encode() if isinstance(row[0], str) else row[0] for row in rows]


def behave(bank: State, behaviour: str, **parameters: Any) -> None:
    accounts.update(bank.conn, "jn", {"behaviour": behaviour, "parameters": parameters})


def send(bank: State) -> None:
    bank.receive(write(replace(HEADER, debit_account=ACCOUNT), LINES))


def said(file: ReturnFile) -> list[tuple[str, int, str]]:
    return [(line.reference, line.amount_fen, line.code) for line in file.lines]


def test_a_foreign_status_report_is_read(bank: State) -> None:
    send(bank)
    (data,) = given_back(bank, "pain.002.001.10")
    read = bank_files.read_return(data)
    assert (read.form, read.file_id, read.account) == (BankFormat.ISO20022, HEADER.file_id, None)
    assert (read.paid_count, read.paid_sum_fen) == (4, 320_006)
    assert said(read) == [(line.reference, 0, "pending") for line in LINES]


def test_a_foreign_rejection_of_some_is_read(bank: State) -> None:
    accounts.update(bank.conn, "jn", {"behaviour": "insufficient-funds", "balance": LINES[0].amount_fen + 1})
    send(bank)
    (data,) = given_back(bank, "pain.002.001.10")
    read = read_return(data)
    assert [line.code for line in read.lines] == ["pending", "failed:temporary", "failed:temporary", "pending"]
    assert read.lines[1].reason.startswith("RJCT AM04")


def test_a_foreign_rejection_of_the_file_holds_for_all(bank: State) -> None:
    behave(bank, "reject-file")
    send(bank)
    (data,) = given_back(bank, "pain.002.001.10")
    read = read_return(data)
    assert (read.file_id, read.lines, read.whole) == (HEADER.file_id, [], "failed:unknown")


def test_a_foreign_rejection_of_a_duplicate_is_no_failure(bank: State) -> None:
    behave(bank, "duplicate-file")
    send(bank)
    send(bank)
    assert read_return(given_back(bank, "pain.002.001.10")[-1]).whole == "unknown"


def test_a_foreign_debit_notification_is_read_and_so_is_what_came_back(bank: State) -> None:
    behave(bank, "return-later", days=2)
    send(bank)
    for _ in range(5):
        bank.clock.advance(days=1)
        bank.release()
    paid, *back = map(read_return, given_back(bank, "camt.054.001.08"))
    assert (paid.file_id, paid.account, paid.sum_fen) == (HEADER.file_id, ACCOUNT, 320_006)
    assert said(paid) == [(line.reference, line.amount_fen, "done") for line in LINES]
    assert back
    assert {line.code for file in back for line in file.lines} == {"returned"}


# ---- written by hand: what mock-bank does not say


def report(*lines: str, group: str = "", version: str = "pain.002.001.10", before: str = "") -> bytes:
    return f"""<?xml version="1.0"?>{before}
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2025-09-18T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>F1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>F1</OrgnlPmtInfId>{"".join(lines)}</OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>""".encode()


def tx(status: str, reason: str = "", amount: str = "", currency: str = "CNY") -> str:
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    named = f'<OrgnlTxRef><Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt></OrgnlTxRef>' if amount else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>R1</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}{named}</TxInfAndSts>"


@pytest.mark.parametrize(
    ("line", "code", "amount_fen"),
    [
        (tx("ACSC", amount="10.00"), "done", 1000),
        (tx("ACCC", amount="10.5"), "done", 1050),
        (tx("ACSC"), "pending", 0),  # the debit notification will name the amount
        (tx("ACSP", amount="10"), "pending", 1000),
        (tx("RJCT", "AC01"), "failed:permanent", 0),
        (tx("RJCT", "AM04"), "failed:temporary", 0),
        (tx("RJCT", "ZZ99"), "failed:unknown", 0),
        (tx("RJCT"), "failed:unknown", 0),
        (tx("RJCT", "AM05"), "unknown", 0),
        (tx("WHAT"), "WHAT", 0),
    ],
)
def test_what_a_status_means(line: str, code: str, amount_fen: int) -> None:
    (read,) = read_return(report(line)).lines
    assert read == ReturnLine(1, "R1", amount_fen, code, read.reason)


def test_a_group_that_is_settled_must_say_of_how_many_and_how_much() -> None:
    done, counted = "<GrpSts>ACSC</GrpSts>", "<OrgnlNbOfTxs>3</OrgnlNbOfTxs><OrgnlCtrlSum>10.00</OrgnlCtrlSum>"
    assert read_return(report(group=done)).whole == ""
    read = read_return(report(group=counted + done))
    assert (read.whole, read.paid_count, read.paid_sum_fen) == ("done", 3, 1000)


def notice(*entries: str, head: str = "") -> bytes:
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>M1</MsgId></GrpHdr><Ntfctn><Id>N1</Id><Acct><Id><Othr><Id>ACC</Id></Othr></Id></Acct>{head}
{"".join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>""".encode()


def entry(amount: str, *details: str, side: str = "DBIT", status: str = "BOOK", more: str = "") -> str:
    about = f'<Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}<Sts><Cd>{status}</Cd></Sts>'
    return f"<Ntry>{about}<NtryDtls>{''.join(details)}</NtryDtls></Ntry>"


def detail(reference: str, amount: str = "", file_id: str = "F1", more: str = "") -> str:
    named = f'<Amt Ccy="CNY">{amount}</Amt>' if amount else ""
    refs = f"<Refs><PmtInfId>{file_id}</PmtInfId><EndToEndId>{reference}</EndToEndId></Refs>"
    return f"<TxDtls>{refs}{named}{more}</TxDtls>"


def test_one_booking_with_its_details() -> None:
    read = read_return(notice(entry("30.00", detail("R1", "10.00"), detail("R2", "20.00"))))
    assert (read.file_id, read.account, read.sum_fen) == ("F1", "ACC", 3000)
    assert said(read) == [("R1", 1000, "done"), ("R2", 2000, "done")]


def test_sides_and_states_of_entries() -> None:
    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    read = read_return(
        notice(
            entry("10.00", detail("R1"), status="PDNG"),
            entry("10.00", detail("R2", more=back), side="CRDT"),
            entry("10.00", detail("R3"), side="CRDT", more="<RvslInd>true</RvslInd>"),
            entry("10.00", detail("R4"), side="CRDT"),
        )
    )
    assert [line.code for line in read.lines] == ["pending", "returned", "returned", "CRDT"]


SUMMARY = "<TxsSummry><TtlNtries><NbOfNtries>{}</NbOfNtries><Sum>{}</Sum></TtlNtries></TxsSummry>"
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "return.form", "header"),
        (b"<a/>", "return.form", "header"),
        (write(HEADER, LINES), "return.form", "header"),
        (report(tx("ACSC"), version="pain.002.001.99"), "return.form", "header"),
        (report(tx("ACSC"))[:-5], "return.form", "line 6"),
        (report(tx("ACSC"), before=BOMB), "return.form", "header"),
        (report(tx("ACSC"), before=EXTERNAL), "return.form", "header"),
        (report(tx("&x;")), "return.form", "line 5"),
        (report("<a>" * 40 + "</a>" * 40), "return.form", "line 5"),
        (report(tx("RJCT", "x" * 3_000)), "return.form", "line 5"),
        (report(tx("ACSC", amount="10.00", currency="EUR")), "return.amount", "line 1"),
        (report(tx("ACSC", amount="10.001")), "return.amount", "line 1"),
        (report(tx("ACSC", amount="NaN")), "return.amount", "line 1"),
        (report(group="<OrgnlNbOfTxs>x</OrgnlNbOfTxs>"), "return.form", "header"),
        (report(tx("ACSC")).replace(b"<OrgnlPmtInfId>F1", b"<OrgnlPmtInfId>F2"), "return.file_differs", "header"),
        (report(tx("ACSC")).replace(b"<OrgnlMsgId>F1</OrgnlMsgId>", b""), "return.form", "header"),
        (notice(), "return.form", "header"),
        (notice(entry("30.00", detail("R1", "10.00"), detail("R2", "10.00"))), "return.sum_differs", "line 1"),
        (notice(entry("1.00", detail("R1")), entry("1.00", detail("", "", "F2"))), "return.several_files", "header"),
        (notice(entry("1.00", detail("R1")), head=SUMMARY.format(2, "1.00")), "return.count_differs", "header"),
        (notice(entry("1.00", detail("R1")), head=SUMMARY.format(1, "2.00")), "return.sum_differs", "header"),
    ],
)  # fmt: skip
def test_what_is_not_whole_and_true_is_refused(data: bytes, code: str, field: str) -> None:
    assert refusal(lambda: read_return(data)) == (code, field)


def test_the_form_of_a_return_is_seen_and_another_is_refused() -> None:
    neutral, gbk = ((GOLDEN / name).read_bytes() for name in ("return.csv", "result.gbk.txt"))
    for data, form in (
        (neutral, BankFormat.NEUTRAL),
        (gbk, BankFormat.AGENT_GBK),
        (report(), BankFormat.ISO20022),
    ):
        assert bank_files.read_return(data).form == form
        for other in set(BankFormat) - {form}:
            assert refusal(lambda: bank_files.read_return(data, other)) == ("return.other_form", "file")  # noqa: B023
