"""ISO 20022: a pain.001.001.09 goes out, a pain.002 (what was accepted) and camt.054 (what was booked) come back.

One file is one message and one payment information block, booked as one debit; its id stands in MsgId and PmtInfId,
and each payment's EndToEndId is our reference. Amounts are CNY. A status report says that a payment is done only
where it names the amount; otherwise the debit notification settles it, which always does.

A debit notification covers one of our files: with BtchBookg the bank notifies the details of one booking.
"""

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from domain.agent_bank import BankFormat
from domain.batch import PaymentLine
from domain.errors import Invalid
from service.gateways.bank_files.form import (
    LINES_MAX,
    BankFileHeader,
    ReturnFile,
    ReturnLine,
    is_text,
    must_agree,
    yuan,
)
from service.gateways.xml_records import NotReadable, Record, records, root_namespace

FORMAT = BankFormat.ISO20022
EXTENSION, MEDIA_TYPE = "xml", "application/xml"
RETURN_MEDIA_TYPES: tuple[str, ...] = ("application/xml", "text/xml")

_URN = "urn:iso:std:iso:20022:tech:xsd:"
PAY = "pain.001.001.09"
REPORTS = frozenset({"pain.002.001.10", "pain.002.001.12"})
NOTIFICATIONS = frozenset({"camt.054.001.08"})

#: Characters that the message types allow.
_LENGTH_MAX: Mapping[str, int] = {
    "file_id": 35,
    "reference": 35,
    "bank_code": 28,
    "account": 34,
    "debit_account": 34,
    "payee": 140,
    "bank": 140,
}
_NO_XML = re.compile("[\ufffe\uffff]")

_ENTRY_NAMES = ("Ntry", "TxDtls")
_REPORT_NAMES = ("TxInfAndSts", "OrgnlPmtInfAndSts")

_DONE = frozenset({"ACSC", "ACCC"})
_UNDERWAY = frozenset({"ACCP", "ACSP", "ACTC", "ACWC", "ACWP", "ACFC", "PATC", "PDNG", "RCVD"})

#: Why a payment was rejected (ISO external code set): what lies with the account, and what passes.
_PERMANENT = frozenset(
    {"AC01", "AC03", "AC04", "AC06", "AC07", "AC14", "AG01", "BE01", "BE06", "CNOR", "MD07", "RC01", "RC04"}
)
_TEMPORARY = frozenset({"AB05", "AB06", "AB08", "AM04", "AM14", "ED05", "TM01"})
#: Rejected because it was there before: what was there may have been paid, so this is no failure.
_SEEN_BEFORE = frozenset({"AM05", "DUPL"})

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2})0{0,3})?")
_COUNT = re.compile(r"[0-9]{1,9}")
_CURRENCY = "CNY"


def head(header: BankFileHeader) -> bytes:
    file_id, total = escape(header.file_id), yuan(header.sum_fen)
    account, bank = escape(header.debit_account), escape(header.bank)
    totals = f"<NbOfTxs>{header.line_count}</NbOfTxs><CtrlSum>{total}</CtrlSum>"
    day = header.released_on.isoformat()
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_URN}{PAY}">\n<CstmrCdtTrfInitn>\n'
        # made at the start of its day, so that the same batch gives the same bytes whenever it is written
        f"<GrpHdr><MsgId>{file_id}</MsgId><CreDtTm>{day}T00:00:00+08:00</CreDtTm>{totals}"
        f"<InitgPty><Nm>{account}</Nm></InitgPty></GrpHdr>\n"
        f"<PmtInf><PmtInfId>{file_id}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg>{totals}"
        f"<ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt><Dbtr><Nm>{account}</Nm></Dbtr>"
        f"<DbtrAcct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>{_CURRENCY}</Ccy></DbtrAcct>"
        f"<DbtrAgt><FinInstnId><Nm>{bank}</Nm></FinInstnId></DbtrAgt>\n"
    ).encode()


def line(number: int, line: PaymentLine) -> bytes:
    return (
        f"<CdtTrfTxInf><PmtId><EndToEndId>{escape(line.reference)}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="{_CURRENCY}">{yuan(line.amount_fen)}</InstdAmt></Amt>'
        f"<CdtrAgt><FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>{escape(line.bank_code)}</MmbId>"
        f"</ClrSysMmbId></FinInstnId></CdtrAgt><Cdtr><Nm>{escape(line.payee)}</Nm></Cdtr>"
        f"<CdtrAcct><Id><Othr><Id>{escape(line.account)}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>\n"
    ).encode()


def tail(header: BankFileHeader) -> bytes:
    return b"</PmtInf>\n</CstmrCdtTrfInitn>\n</Document>\n"


def carries(cell: str, text: str) -> bool:
    return len(text) <= _LENGTH_MAX[cell] and not _NO_XML.search(text)


def recognises(data: bytes) -> bool:
    return _message(data) in REPORTS | NOTIFICATIONS


def read_return(data: bytes) -> ReturnFile:
    """A status report or a debit notification, whole.

    Raises Invalid with the fields `file`, `header` or `line N` (N: the payment or entry, from 1) and the codes
    `return.form` (no XML, a document type, another message), `return.amount` (no amount of CNY),
    `return.count_differs` and `return.sum_differs` (stated, actual), `return.several_files`, `return.file_differs`,
    `return.too_long` (limit).
    """
    message = _message(data)
    if message not in REPORTS | NOTIFICATIONS:
        raise Invalid("return.form", "header")
    try:
        return _report(data) if message in REPORTS else _notification(data)
    except NotReadable as refusal:
        raise Invalid("return.form", f"line {refusal.line}") from refusal


def _message(data: bytes) -> str:
    return root_namespace(data).removeprefix(_URN)


# ---- pain.002: what the bank accepted


def _report(data: bytes) -> ReturnFile:
    lines: list[ReturnLine] = []
    blocks: list[Record] = []
    document: Record = {}
    for name, record in records(data, _REPORT_NAMES):
        if name == "TxInfAndSts":
            lines.append(_reported(_next(lines), record))
        elif name:
            blocks.append(record)
        else:
            document = record
    group = {way.removeprefix(_GROUP): text for way, text in document.items() if way.startswith(_GROUP)}
    file_id = group.get("OrgnlMsgId", "")
    if not file_id or not is_text(file_id):
        raise Invalid("return.form", "header")
    if any(block.get("OrgnlPmtInfId", file_id) != file_id for block in blocks):
        raise Invalid("return.file_differs", "header")
    said = group if "OrgnlNbOfTxs" in group or not blocks else blocks[0]
    count, total = said.get("OrgnlNbOfTxs"), said.get("OrgnlCtrlSum")
    return ReturnFile(
        FORMAT,
        file_id,
        None,
        len(lines),
        sum(line.amount_fen for line in lines),
        lines,
        whole="" if lines else _whole(group, blocks, named=None not in (count, total)),
        paid_count=None if count is None else _whole_number(count, "header"),
        paid_sum_fen=None if total is None else _fen(total, "header"),
    )


_GROUP = "Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts/"


def _reported(number: int, record: Record) -> ReturnLine:
    field, status = f"line {number}", record.get("TxSts", "")
    amount = record.get("OrgnlTxRef/Amt/InstdAmt")
    if amount is not None and record.get("OrgnlTxRef/Amt/InstdAmt@Ccy") != _CURRENCY:
        raise Invalid("return.amount", field)
    code = _code(status, record)
    if code == "done" and amount is None:
        code = "pending"  # the notification of the debit will name it
    amount_fen = 0 if amount is None else _fen(amount, field)
    return _line(number, record.get("OrgnlEndToEndId", ""), amount_fen, code, f"{status} {_reason(record)}")


def _whole(group: Record, blocks: list[Record], *, named: bool) -> str:
    """The code that holds for every payment, of a report that names none; "" where there is none yet."""
    for told, status in ((group, group.get("GrpSts", "")), *((each, each.get("PmtInfSts", "")) for each in blocks)):
        code = _code(status, told)
        if status == "RJCT" or (code == "done" and named):
            return code
    return ""


def _code(status: str, record: Record) -> str:
    if status in _DONE:
        return "done"
    if status in _UNDERWAY:
        return "pending"
    if status != "RJCT":
        return status or "no status"
    why = record.get("StsRsnInf/Rsn/Cd", "")
    if why in _SEEN_BEFORE:
        return "unknown"
    if why in _PERMANENT:
        return "failed:permanent"
    return "failed:temporary" if why in _TEMPORARY else "failed:unknown"


def _reason(record: Record) -> str:
    ways = ("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry", "StsRsnInf/AddtlInf")
    return " ".join(record[way] for way in ways if record.get(way))


# ---- camt.054: what the bank booked


def _notification(data: bytes) -> ReturnFile:
    lines: list[ReturnLine] = []
    files: set[str] = set()
    details: list[Record] = []
    entries, entries_fen, document = 0, 0, Record()
    for name, record in records(data, _ENTRY_NAMES):
        if name == "TxDtls":
            details.append(record)
        elif name == "Ntry":
            entries += 1
            entries_fen += _entry(record, details, lines, files)
            details = []
        else:
            document = record
    about = {way.removeprefix(_NOTICE): text for way, text in document.items() if way.startswith(_NOTICE)}
    if not files:
        raise Invalid("return.form", "header")
    if len(files) > 1:
        raise Invalid("return.several_files", "header")
    stated = about.get("TxsSummry/TtlNtries/NbOfNtries"), about.get("TxsSummry/TtlNtries/Sum")
    if None not in stated:
        count, total = (each or "" for each in stated)
        must_agree(
            "return", "header", (_whole_number(count, "header"), _fen(total, "header")), (entries, entries_fen)
        )
    account = about.get("Acct/Id/Othr/Id") or about.get("Acct/Id/IBAN")
    return ReturnFile(FORMAT, files.pop(), account, len(lines), sum(line.amount_fen for line in lines), lines)


_NOTICE = "Document/BkToCstmrDbtCdtNtfctn/Ntfctn/"


def _entry(entry: Record, details: list[Record], lines: list[ReturnLine], files: set[str]) -> int:
    """Add the payments of an entry; its sum in fen. An entry without details is a line without our reference."""
    field = f"line {_next(lines)}"
    amount_fen = _money(entry, "Amt", field)
    batch = entry.get("NtryDtls/Btch/PmtInfId") or entry.get("NtryDtls/Btch/MsgId")
    before = len(lines)
    for each in details or [{}]:
        number = _next(lines)
        said = each.get("Refs/PmtInfId") or each.get("Refs/MsgId") or batch
        if said:
            files.add(said)
        named = next((way for way in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt") if way in each), None)
        fen = amount_fen if named is None and len(details) <= 1 else _money(each, named or "Amt", f"line {number}")
        reference = each.get("Refs/EndToEndId") or entry.get("AcctSvcrRef", "")
        why = " ".join(each[way] for way in ("RtrInf/Rsn/Cd", "RtrInf/AddtlInf", "AddtlTxInf") if each.get(way))
        lines.append(_line(number, reference, fen, _booked(entry, each), why))
    found = sum(line.amount_fen for line in lines[before:])
    must_agree("return", field, (len(lines) - before, amount_fen), (len(lines) - before, found))
    return amount_fen


def _booked(entry: Record, each: Record) -> str:
    side = each.get("CdtDbtInd") or entry.get("CdtDbtInd", "")
    back = (
        entry.get("RvslInd") == "true"
        or any(way.startswith("RtrInf/") for way in each)
        or "RRTN" in (entry.get("BkTxCd/Domn/Fmly/SubFmlyCd"), each.get("BkTxCd/Domn/Fmly/SubFmlyCd"))
    )
    if (side, back) not in (("DBIT", False), ("CRDT", True)):
        return f"{side} {'back' if back else ''}".strip()  # no payment of ours, and none that came back
    if (entry.get("Sts/Cd") or entry.get("Sts")) != "BOOK":
        return "pending"
    return "returned" if back else "done"


# ---- both


def _line(number: int, reference: str, amount_fen: int, code: str, reason: str) -> ReturnLine:
    if not all(is_text(cell) for cell in (reference, code)):
        raise Invalid("return.form", f"line {number}")
    return ReturnLine(number, reference, amount_fen, code, reason.strip())


def _next(lines: list[ReturnLine]) -> int:
    if len(lines) == LINES_MAX:
        raise Invalid("return.too_long", f"line {LINES_MAX + 1}", limit=LINES_MAX)
    return len(lines) + 1


def _money(record: Record, way: str, field: str) -> int:
    if record.get(f"{way}@Ccy") != _CURRENCY:
        raise Invalid("return.amount", field)
    return _fen(record[way], field)


def _fen(text: str, field: str) -> int:
    match = _AMOUNT.fullmatch(text)
    if not match:
        raise Invalid("return.amount", field)
    whole, cents = match.groups()
    return int(whole) * 100 + int((cents or "0").ljust(2, "0"))


def _whole_number(text: str, field: str) -> int:
    if not _COUNT.fullmatch(text):
        raise Invalid("return.form", field)
    return int(text)
