"""ISO 20022 camt.053.001.08, as far as an account in yuan with booked entries goes.

Read as a stream and without document types or entities (defusedxml); one statement a message. Our reference is the
entry's EndToEndId, or of a collected entry the MsgId of its batch; the bank's key is AcctSvcrRef. Entries that are
not booked (BOOK) yet are refused: they would come again.
"""

import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from domain.errors import Invalid
from domain.statement import CHARGE, Side, Span
from service.gateways.statement_files import (
    LINES_MAX,
    TEXT_LENGTH_MAX,
    StatementFile,
    StatementLine,
    read_day,
    read_fen,
    read_sequence,
    whole,
)

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_CURRENCY = "CNY"
_AMOUNT = re.compile(r"([0-9]{1,17})(?:\.([0-9]{1,2}))?", re.ASCII)
_SIDES = {"DBIT": Side.DEBIT, "CRDT": Side.CREDIT}
#: Sub-families of what a bank charges for its service.
_CHARGES = frozenset({"CHRG", "FEES", "COMM"})
_NONE = "NOTPROVIDED"


def read(data: bytes) -> StatementFile:
    """The statement, or nothing of it.

    Invalid with the fields `file`, `header` or `line N` (the N-th entry): `statement.form`, `statement.xml`,
    `statement.amount`, `statement.currency`, `statement.not_booked`, `statement.too_long` (limit), and as `whole`.
    """
    lines: list[StatementLine] = []
    head: Element | None = None
    try:
        for element in _ended(data):
            if element.tag == _tag("Ntry"):
                if len(lines) == LINES_MAX:
                    raise Invalid("statement.too_long", f"line {len(lines) + 1}", limit=LINES_MAX)
                lines.append(_line(element, len(lines) + 1))
                element.clear()  # of a hundred thousand, one at a time is held
            elif element.tag == _tag("Stmt"):
                if head is not None:
                    raise Invalid("statement.form", "header")
                head = element
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        # cut off, in another encoding than it says, or with a document type
        raise Invalid("statement.xml", f"line {len(lines) + 1}" if lines else "file") from None
    if head is None:
        raise Invalid("statement.form", "header")
    return whole(_account(head), _span(head), lines)


def _ended(data: bytes) -> Iterator[Element]:
    events: Iterator[tuple[str, Element]] = iterparse(io.BytesIO(data), events=("end",), forbid_dtd=True)
    return (element for _, element in events)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _text(element: Element, path: str) -> str:
    found = element.find("/".join(_tag(name) for name in path.split("/")))
    return (found.text or "").strip() if found is not None else ""


def _account(head: Element) -> str:
    account = _text(head, "Acct/Id/Othr/Id") or _text(head, "Acct/Id/IBAN")
    if not account or len(account) > TEXT_LENGTH_MAX:
        raise Invalid("statement.form", "header")
    return account


def _span(head: Element) -> Span:
    return Span(
        read_sequence(_text(head, "ElctrncSeqNb"), "header"),
        read_day(_text(head, "FrToDt/FrDtTm")[:10], "header"),
        read_day(_text(head, "FrToDt/ToDtTm")[:10], "header"),
        _balance(head, "OPBD"),
        _balance(head, "CLBD"),
    )


def _balance(head: Element, code: str) -> int:
    found = [each for each in head.findall(_tag("Bal")) if _text(each, "Tp/CdOrPrtry/Cd") == code]
    if len(found) != 1:
        raise Invalid("statement.form", "header")
    fen = _amount(found[0], "header", least=0)
    return fen if _side(found[0], "header") is Side.CREDIT else -fen


def _amount(element: Element, at: str, *, least: int) -> int:
    amount = element.find(_tag("Amt"))
    if amount is None or amount.get("Ccy") != _CURRENCY:
        raise Invalid("statement.currency", at)
    return read_fen((amount.text or "").strip(), _AMOUNT, at, least=least)


def _side(element: Element, at: str) -> Side:
    side = _SIDES.get(_text(element, "CdtDbtInd"))
    if side is None:
        raise Invalid("statement.form", at)
    return side


def _line(entry: Element, number: int) -> StatementLine:
    at = f"line {number}"
    if _text(entry, "Sts/Cd") != "BOOK":
        raise Invalid("statement.not_booked", at)
    side, key = _side(entry, at), _text(entry, "AcctSvcrRef")
    if not key:
        raise Invalid("statement.form", at)
    party = "Dbtr" if side is Side.CREDIT else "Cdtr"
    return StatementLine(
        number,
        read_day(_text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm")[:10], at),
        side,
        _amount(entry, at, least=1),
        key[:TEXT_LENGTH_MAX],
        _reference(entry)[:TEXT_LENGTH_MAX],
        _text(entry, f"NtryDtls/TxDtls/RltdPties/{party}/Pty/Nm")[:TEXT_LENGTH_MAX],
        _text(entry, "NtryDtls/TxDtls/RmtInf/Ustrd")[:TEXT_LENGTH_MAX],
    )


def _reference(entry: Element) -> str:
    if _text(entry, "BkTxCd/Domn/Fmly/SubFmlyCd") in _CHARGES:
        return CHARGE
    batch = _text(entry, "NtryDtls/Btch/MsgId")
    single = _text(entry, "NtryDtls/TxDtls/Refs/EndToEndId")
    return batch or ("" if single == _NONE else single)
