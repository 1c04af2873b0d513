"""Statements as banks write them, by hand: they add up unless a test says otherwise."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

#: One line: (D or C, fen, reference, counterparty, text).
Line = tuple[str, int, str, str, str]

OPENING = 10_000_000


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def closing(lines: Sequence[Line], opening: int = OPENING) -> int:
    return opening + sum(line[1] if line[0] == "C" else -line[1] for line in lines)


def neutral(
    account: str, sequence: int, day: date, lines: Sequence[Line], opening: int = OPENING, **other: Any
) -> bytes:
    """`other`: to_on, closing_fen, count, keys (the bank's, in order)."""
    to_on, count = other.get("to_on", day), other.get("count", len(lines))
    keys = other.get("keys") or [f"{account}-{sequence}-{at}" for at in range(len(lines))]
    balances = (yuan(opening), yuan(other.get("closing_fen", closing(lines, opening))))
    out = io.StringIO(newline="")
    rows: list[Sequence[Any]] = [
        ("H", "ZHIDA-STATEMENT-1", account, sequence, day.isoformat(), to_on.isoformat(), *balances, count),
        *(
            ("L", at, day.isoformat(), line[0], yuan(line[1]), key, *line[2:])
            for at, (line, key) in enumerate(zip(lines, keys, strict=True), start=1)
        ),
        ("T", account, sequence, count),
    ]
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def camt053(account: str, sequence: int, day: date, lines: Sequence[Line], opening: int = OPENING) -> bytes:
    """The same as an ISO 20022 message."""
    entries = "".join(_entry(account, sequence, at, day, line) for at, line in enumerate(lines))
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='CNY'>{yuan(fen)}</Amt>"
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        for code, fen in (("OPBD", opening), ("CLBD", closing(lines, opening)))
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId>"
        f"<CreDtTm>{day}T20:00:00</CreDtTm></GrpHdr><Stmt><Id>S{sequence}</Id>"
        f"<ElctrncSeqNb>{sequence}</ElctrncSeqNb>"
        f"<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{day}T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><Othr><Id>{escape(account)}</Id></Othr></Id></Acct>{balances}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _entry(account: str, sequence: int, at: int, day: date, line: Line) -> str:
    side, fen, reference, party, text = line
    family = "CHRG" if reference == "CHARGE" else "DMCT"
    who = "Dbtr" if side == "C" else "Cdtr"
    return (
        f"<Ntry><Amt Ccy='CNY'>{yuan(fen)}</Amt><CdtDbtInd>{'CRDT' if side == 'C' else 'DBIT'}</CdtDbtInd>"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{escape(account)}-{sequence}-{at}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>{family}</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{reference or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"<RltdPties><{who}><Pty><Nm>{escape(party)}</Nm></Pty></{who}></RltdPties>"
        f"<RmtInf><Ustrd>{escape(text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
