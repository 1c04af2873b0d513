"""Recompute the promises from the stored rows, as if no constraint had ever kept them."""

from service.audit.queries.answers import ANSWERED_ONCE, COMMITTED
from service.audit.queries.approvals import APPROVALS
from service.audit.queries.assessments import ASSESSMENTS
from service.audit.queries.attendance import ATTENDANCE
from service.audit.queries.batch_checks import counted_beside
from service.audit.queries.batches import BYTES_LEFT, FILE_BYTES, SIGNED_CONTENT, THREE_PERSONS, reopen
from service.audit.queries.care import EVIDENCE, STOPPED
from service.audit.queries.checks import Breach, Promise, count_rows, first_breach
from service.audit.queries.claims import COUNTED_ONCE, ONE_LIVE_ATTEMPT, ONE_SUBSIDY, SHARE
from service.audit.queries.corrections import BY_HAND, CORRECTIONS
from service.audit.queries.decisions import DECISIONS, recompute
from service.audit.queries.fund_months import STATEMENT
from service.audit.queries.funds import MONEY_CONSERVED, carried_over, mixed_batches
from service.audit.queries.in_clear import NOTHING_IN_CLEAR, first_in_clear
from service.audit.queries.institutions import INSTITUTIONS
from service.audit.queries.jobs import ALL_ENDED, ENDED, ready_and_dead
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES, REFERENCES
from service.audit.queries.kinds import KINDS
from service.audit.queries.messages import TOLD
from service.audit.queries.objections import APPEALS, OBJECTIONS, TO_NOTICES
from service.audit.queries.offers import OFFERS
from service.audit.queries.oversight import OVERSIGHT, evaluations_recompute
from service.audit.queries.patrols import PATROLS, draws_recompute
from service.audit.queries.policies import PARAMETERS
from service.audit.queries.registers import REGISTERS, registers_recompute
from service.audit.queries.restores import RESENDS_NOTHING
from service.audit.queries.rosters import ROSTER_LINES
from service.audit.queries.seal import SEALED, touched
from service.audit.queries.standards import STANDARDS, standards_recompute
from service.audit.queries.statements import CLOSE_ADDS_UP, REPAYMENTS_ADD_UP
from service.audit.queries.step_ups import STEP_UPS
from service.audit.queries.supplements import NEW_ACCOUNTS, SUPPLEMENTS
from service.audit.queries.territory import TERRITORY
from service.audit.queries.training import CLASSES
from service.audit.schemas import BrokenRow, PromiseReport
from service.database import Tx


async def verify(tx: Tx, *, settled: bool = False) -> list[PromiseReport]:
    """Every promise that rows can show, in the order of their numbers.

    With `settled` all work is said to be over: a job that is still ready breaks promise 18. `tx` should see one
    snapshot (REPEATABLE READ) where others write meanwhile. The database does the sorting and the counting; of the
    rows, no more than one batch's lines are held here at once.
    """
    reopened = await reopen(tx)
    ready, dead = await ready_and_dead(tx)
    found_beside: dict[int | str, Breach | None] = {
        4: reopened.file,
        7: await counted_beside(tx),
        8: reopened.content,
        14: await first_in_clear(tx),
        16: await recompute(tx),
    }
    found_beside[SEALED.name] = await touched(tx)
    found_beside[STANDARDS.name] = await standards_recompute(tx)
    found_beside[OVERSIGHT.name] = await evaluations_recompute(tx)
    found_beside[PATROLS.name] = await draws_recompute(tx)
    found_beside[REGISTERS.name] = await registers_recompute(tx)
    said: dict[int, str] = {14: "行数是查过的列数", 18: f"待办 {ready}，停办 {dead}"}
    if money := await _money_before(tx):
        said[9] = money
    reports = []
    for promise in _promises(settled):
        breach = await first_breach(tx, promise.checks) or found_beside.get(promise.number or promise.name)
        reports.append(await _report(tx, promise, breach, said.get(promise.number or 0, "")))
    return reports


async def _money_before(tx: Tx) -> str:
    """What stands in the books from before the present rules."""
    carried, mixed = await carried_over(tx), await mixed_batches(tx)
    said = {"有 {} 项额度由升级时结转": carried, "有 {} 个升级前的批次含多项资金": mixed}
    return "；".join(words.format(count) for words, count in said.items() if count)


def _promises(settled: bool) -> tuple[Promise, ...]:
    ended = ALL_ENDED if settled else ENDED
    return (
        ONE_LIVE_ATTEMPT,
        ONE_SUBSIDY,
        REFERENCES,
        FILE_BYTES,
        EVIDENCE,
        BYTES_LEFT,
        LEGAL_MOVES,
        THREE_PERSONS,
        SIGNED_CONTENT,
        STEP_UPS,
        MONEY_CONSERVED,
        COMMITTED,
        ANSWERED_ONCE,
        JOURNALLED,
        SEALED,
        COUNTED_ONCE,
        NOTHING_IN_CLEAR,
        TERRITORY,
        DECISIONS,
        PARAMETERS,
        ended,
        RESENDS_NOTHING,
        STOPPED,
        OBJECTIONS,
        TO_NOTICES,
        APPEALS,
        APPROVALS,
        SHARE,
        ROSTER_LINES,
        STANDARDS,
        OVERSIGHT,
        INSTITUTIONS,
        CLASSES,
        ASSESSMENTS,
        TOLD,
        ATTENDANCE,
        PATROLS,
        REGISTERS,
        OFFERS,
        BY_HAND,
        CORRECTIONS,
        CLOSE_ADDS_UP,
        REPAYMENTS_ADD_UP,
        KINDS,
        STATEMENT,
        SUPPLEMENTS,
        NEW_ACCOUNTS,
    )


async def _report(tx: Tx, promise: Promise, breach: Breach | None, said: str) -> PromiseReport:
    checked = await count_rows(tx, promise.rows)
    if breach is None:
        return PromiseReport(promise.number, promise.name, held=True, detail=said, checked=checked)
    return PromiseReport(
        promise.number,
        promise.name,
        held=False,
        detail=f"{breach.table} {breach.row}：{breach.says}",
        checked=checked,
        row=BrokenRow(breach.table, breach.row),
    )
