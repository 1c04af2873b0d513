"""What a bank of ISO 20022 answers, as it settles payments: accepted, rejected, booked, come back."""

import pytest

from domain.actor import Post
from domain.agent_bank import BankFormat
from domain.errors import DomainError
from service.batches.schemas import BatchView
from service.database import Tx
from service.journal import By
from service.reconciliation import commands as reconciliation
from tests.payments import Stage, attempt_statuses, claim_statuses, lines_of
from tests.tasks.test_bank_sending import Agree, agree, stage

__all__ = ["agree", "stage"]

ISO = "urn:iso:std:iso:20022:tech:xsd:"


async def take(tx: Tx, stage: Stage, data: bytes) -> tuple[int, int, int]:
    """Settled, repeated and exceptional lines of a return that the maker hands in."""
    by = By.actor(stage.staff[Post.MAKER], Post.MAKER, stage.world.now)
    view = await reconciliation.take_return(tx, None, reconciliation.read(data), data, "upload", by)
    return view.settled, view.repeats, view.exceptions


def report(batch: BatchView, said: str) -> bytes:
    return f"""<Document xmlns="{ISO}pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>
    <OrgnlMsgId>{batch.number}</OrgnlMsgId>{said}</CstmrPmtStsRpt></Document>""".encode()


async def test_iso_answers_settle_step_by_step(tx: Tx, stage: Stage, agree: Agree) -> None:
    """Accepted is not paid; a rejection names no amount; the debit is booked; and the money comes back later."""
    agree(format=BankFormat.ISO20022)
    batch = await stage.sent(tx)
    first, second = await lines_of(tx, batch.id)
    accepted, rejected = (
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}</TxInfAndSts>"
        for reference, status, why in (
            (first.reference, "ACCP", ""),
            (second.reference, "RJCT", "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"),
        )
    )
    said = f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>{accepted}{rejected}</OrgnlPmtInfAndSts>"
    assert await take(tx, stage, report(batch, said)) == (1, 1, 0)
    assert await attempt_statuses(tx, batch.id) == ["sent", "failed"]

    def booked(side: str, more: str = "") -> bytes:
        amount = f'<Amt Ccy="CNY">{first.amount_fen / 100:.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        refs = f"<Refs><PmtInfId>{batch.number}</PmtInfId><EndToEndId>{first.reference}</EndToEndId></Refs>"
        return f"""<Document xmlns="{ISO}camt.054.001.08"><BkToCstmrDbtCdtNtfctn><Ntfctn>
        <Acct><Id><Othr><Id>{batch.debit_account}</Id></Othr></Id></Acct><Ntry>{amount}<Sts><Cd>BOOK</Cd></Sts>
        <NtryDtls><TxDtls>{refs}{more}</TxDtls></NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>""".encode()

    assert await take(tx, stage, booked("DBIT")) == (1, 0, 0)
    assert await attempt_statuses(tx, batch.id) == ["done", "failed"]
    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    assert await take(tx, stage, booked("CRDT", back)) == (1, 0, 0)
    assert await attempt_statuses(tx, batch.id) == ["returned", "failed"]


async def test_a_bank_that_rejects_all_at_once(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(format=BankFormat.ISO20022)
    batch = await stage.sent(tx)
    counted = "<OrgnlNbOfTxs>{}</OrgnlNbOfTxs><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>"
    with pytest.raises(DomainError, match=r"return\.count_differs"):
        await take(tx, stage, report(batch, f"{counted.format(3)}</OrgnlGrpInfAndSts>"))
    assert await take(tx, stage, report(batch, f"{counted.format(2)}</OrgnlGrpInfAndSts>")) == (2, 0, 0)
    assert set(await claim_statuses(tx, stage.claims)) == {"bounced"}
