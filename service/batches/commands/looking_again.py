"""Just before payment the claims of a batch are looked up in the registers again; what is found stops them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert

from service.batches.tables import RegisterCheckRow
from service.claims.queries.looking_again import Finding, findings_of
from service.clock import business_day
from service.database import Tx
from service.journal import By, record
from service.registers.commands import keep_from_changing
from service.registers.queries import snapshots_on


async def look_again(
    tx: Tx, batch_id: UUID, step: str, claim_ids: Sequence[UUID], by: By, *, keep: bool = True
) -> list[Finding]:
    """The claims that are not to be paid as things stand; that they were looked up, and in what, is kept. When a
    maker signs that is only where nothing fails (`keep`: nothing did until here): else they are looked up again.

    Until `tx` ends nobody confirms a register: what is found is what holds when it commits.
    """
    await keep_from_changing(tx)
    today = business_day(by.at)
    snapshots = await snapshots_on(tx, today)
    found = await findings_of(tx, claim_ids, snapshots, today)
    asked = {register: str(each.id) for register, each in snapshots.items()}
    counted = {"claims": len(claim_ids), "stopped": len(found)}
    row = {
        "batch_id": batch_id,
        "step": step,
        "checked_on": today,
        "checked_at": by.at,
        "snapshots": asked,
        **counted,
    }
    if keep and not (step == "submit" and found):
        await tx.execute(insert(RegisterCheckRow).values(row))
        await record(tx, "batch_register_check", [batch_id], step, by, [{"snapshots": asked, **counted}])
    return found
