"""Bank files: written and read in each form, beside a writer and a parser that make the same and check nothing.
Processor time, since nothing here waits; each memory in a process of its own."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from xml.etree import ElementTree as ET

from bench.beside import grown_mib, ratio
from bench.figures import Figure
from bench.ground import Ground
from bench.wish import Wish
from domain.agent_bank import LINES_MAX, BankFormat
from domain.batch import PaymentLine
from service.gateways.bank_files import FORMS, BankFileHeader, ReturnLine, write

PART = "bank_files"
_LINES = 100_000
_ACCOUNT = "就业补助资金专户-370102"
#: Set by the issue: times a plain writer's and a bare parser's.
_AIM, _MEMORY_MIB = 3, 64


def measure(_: Ground, wish: Wish) -> Iterator[Figure]:
    for form in BankFormat:
        yield from _of(form, min(wish.of(_LINES), LINES_MAX[form]), wish)


def _of(form: BankFormat, count: int, wish: Wish) -> Iterator[Figure]:
    lines, header = list(_lines(count)), _header(count)
    name = f"{form}: {count:,} lines written"
    yield ratio(PART, wish, name, lambda: _write(form, header, lines), lambda: _plain(form, lines), _AIM)
    grown = grown_mib(_written, form, small=1_000, count=count)
    yield Figure(PART, f"{form}: memory beyond the start", grown, "MiB", target=_MEMORY_MIB)
    for name, data in _returns(form, lines):
        yield _reading(wish, form, f"{name}: {count:,} lines read", data, count)


def _reading(wish: Wish, form: BankFormat, name: str, data: bytes, count: int) -> Figure:
    read, bare = FORMS[form].read_return, _BARE[form]
    if len(read(data).lines) != count or bare(data) != count:
        raise RuntimeError("not every line was read")
    return ratio(PART, wish, name, lambda: read(data), lambda: bare(data), _AIM)


# ---- written


def _lines(count: int) -> Iterator[PaymentLine]:
    for n in range(1, count + 1):
        yield PaymentLine(
            f"JN20260901000001{n:06d}", f"张{n}·买买提", f"62220216023456{n:06d}", "102451000016", 100_000 + n
        )


def _header(count: int) -> BankFileHeader:
    total = sum(line.amount_fen for line in _lines(count))
    return BankFileHeader("JN20260901-000001", date(2026, 9, 1), _ACCOUNT, count, total)


def _write(form: BankFormat, header: BankFileHeader, lines: Iterable[PaymentLine]) -> int:
    return sum(len(piece) for piece in write(FORMS[form], header, lines))


def _plain(form: BankFormat, lines: Iterable[PaymentLine]) -> int:
    """The same cells into memory, row by row, with nothing checked."""
    out, plain = io.BytesIO(), FORMS[form].line
    if form is BankFormat.NEUTRAL:
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        rows = csv.writer(text, lineterminator="\r\n")
        for at, line in enumerate(lines, start=1):
            rows.writerow(("D", at, line.reference, line.payee, line.account, line.bank_code, _yuan(line.amount_fen)))
        text.flush()
    else:
        for at, line in enumerate(lines, start=1):
            out.write(plain(at, line))
    return out.tell()


def _written(form: BankFormat, count: int) -> int:
    return _write(form, _header(count), _lines(count))


# ---- read


def _returns(form: BankFormat, lines: list[PaymentLine]) -> Iterator[tuple[str, bytes]]:
    count, total = len(lines), _yuan(sum(line.amount_fen for line in lines))
    if form is BankFormat.ISO20022:
        yield f"{form} pain.002", _status_report(lines)
        yield f"{form} camt.054", _notification(lines)
        return
    head, row, tail, encoding = _TEXTS[form]
    rows = [row.format(at, line.reference, _yuan(line.amount_fen)) for at, line in enumerate(lines, start=1)]
    text = "\r\n".join(
        [head.format(_ACCOUNT, count, total), *rows, *([tail.format(count, total)] if tail else []), ""]
    )
    yield str(form), text.encode(encoding)


_TEXTS = {
    BankFormat.NEUTRAL: ("H,ZHIDA-RETURN-1,F1,{},{},{}", "R,{},{},{},done,成功", "T,F1,{},{}", "utf-8"),
    BankFormat.AGENT_GBK: ("HP|F1|20260901|{}|{}|{}", "{}|{}|{}|0000|交易成功", "", "gb18030"),
}
_URN = "urn:iso:std:iso:20022:tech:xsd:"


def _status_report(lines: list[PaymentLine]) -> bytes:
    said = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{line.reference}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01"
        f"</Cd></Rsn><AddtlInf>账号不存在</AddtlInf></StsRsnInf><OrgnlTxRef><Amt><InstdAmt Ccy='CNY'>"
        f"{_yuan(line.amount_fen)}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>"
        for line in lines
    )
    return (
        f"<Document xmlns='{_URN}pain.002.001.10'><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>F1</OrgnlMsgId>"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>{said}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def _notification(lines: list[PaymentLine]) -> bytes:
    booked = "".join(
        f"<TxDtls><Refs><PmtInfId>F1</PmtInfId><EndToEndId>{line.reference}</EndToEndId></Refs>"
        f"<Amt Ccy='CNY'>{_yuan(line.amount_fen)}</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
        for line in lines
    )
    return (
        f"<Document xmlns='{_URN}camt.054.001.08'><BkToCstmrDbtCdtNtfctn><Ntfctn><Ntry><Amt Ccy='CNY'>"
        f"{_yuan(sum(line.amount_fen for line in lines))}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<NtryDtls>{booked}</NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def _bare_csv(data: bytes) -> int:
    rows = csv.reader(io.StringIO(data.decode(), newline=""))
    return len([_line(*cells[1:]) for cells in rows if cells[0] == "R"])


def _bare_bars(data: bytes) -> int:
    rows = (row.split("|") for row in data.decode("gb18030").split("\r\n"))
    return len([_line(*cells) for cells in rows if len(cells) == 5])


def _line(number: str, reference: str, amount: str, code: str, reason: str) -> ReturnLine:
    return ReturnLine(int(number), reference, int(amount.replace(".", "")), code, reason)


def _bare_xml(data: bytes) -> int:
    """ElementTree in C, each payment's element thrown away: what a reader of trusted files would start from."""
    count = 0
    for _, element in ET.iterparse(io.BytesIO(data)):  # noqa: S314 (made here)
        if element.tag.endswith(("}TxInfAndSts", "}TxDtls")):
            count += 1
            element.clear()
    return count


_BARE: dict[BankFormat, Callable[[bytes], int]] = {
    BankFormat.NEUTRAL: _bare_csv,
    BankFormat.AGENT_GBK: _bare_bars,
    BankFormat.ISO20022: _bare_xml,
}


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
