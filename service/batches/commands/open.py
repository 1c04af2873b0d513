"""A maker opens a batch: a number, the fund that pays, and a filter; a job fills it."""

from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.agent_bank import terms_of
from domain.batch import BATCH_LIFECYCLE
from domain.errors import Forbidden, Invalid
from service.batches.queries import debit_account, view_of
from service.batches.schemas import BatchView, NewBatch
from service.batches.tables import BATCH_NUMBERS, BatchRow
from service.database import Tx
from service.funds.queries import fund_names
from service.jobs import owe
from service.journal import By, record
from service.policies.queries import parameters
from service.queue import Job

#: The city's letters before every batch number (济南).
CITY = "JN"


async def open_batch(tx: Tx, me: Actor, new: NewBatch, today: date, now: datetime) -> BatchView:
    """Open a batch for the maker's district and owe its assembly.

    Forbidden `district_missing` for a maker who works for no single district; Invalid `fund.unknown`.
    """
    me.must_hold(Post.MAKER)
    if me.district is None:
        raise Forbidden("district_missing")
    fund_name = (await fund_names(tx)).get(new.fund)
    if fund_name is None:
        raise Invalid("fund.unknown", field="fund")
    terms = terms_of((await parameters(tx, today)).get("agent_bank"), new.fund)
    serial = (await tx.execute(select(BATCH_NUMBERS.next_value()))).scalar_one()
    batch_id, first = uuid4(), BATCH_LIFECYCLE.first
    batch = {
        "number": f"{CITY}{today:%Y%m%d}-{serial:06d}",
        "district": me.district,
        "fund": new.fund,
        "debit_account": debit_account(fund_name, me.district),
        "terms": terms.written(),
        "filter": {
            "filed_to": new.filter.filed_to.isoformat() if new.filter.filed_to else None,
            "limit": new.limit,
        },
        "status": str(first),
    }
    noted = {**batch, "opened_by": str(me.user_id)}
    await record(tx, "batch", [batch_id], "open", By.actor(me, Post.MAKER, now), [noted])
    await tx.execute(insert(BatchRow).values(id=batch_id, opened_by=me.user_id, opened_at=now, **batch))
    await owe(tx, Job.ASSEMBLE_BATCH, batch_id)
    return await view_of(tx, batch_id)
