"""A maker opens a batch: a number, the fund that pays, and a filter; a job fills it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.agent_bank import terms_of
from domain.batch import BATCH_LIFECYCLE
from domain.errors import Forbidden, Invalid
from service.batches.queries import Batch, debit_account, standing_in, stored_filter, view_of
from service.batches.schemas import BatchView, NewBatch
from service.batches.tables import BATCH_NUMBERS, BatchRow, ProgressRow
from service.clock import business_day
from service.database import Tx
from service.funds.queries import fund_names
from service.gateways.bank_files import FORMS, holds
from service.jobs import owe
from service.journal import By, record
from service.policies.queries import parameters
from service.queue import Job

#: The city's letters before every batch number (济南).
CITY = "JN"


async def open_batch(tx: Tx, me: Actor, new: NewBatch, today: date, now: datetime) -> BatchView:
    """Open a batch for the maker's district, or the one for whose maker they stand in, and owe its assembly.

    Forbidden `district_missing` for a maker of no single district who names none, `batch.no_delegation` for a
    district in which nobody had them stand in; Invalid `fund.unknown`, and `bank_file.not_carried` where the fund's
    account or bank has a name that the bank's file cannot hold.
    """
    me.must_hold(Post.MAKER)
    district = new.district or me.district
    if district is None:
        raise Forbidden("district_missing")
    if district != me.district and await standing_in(tx, me, district, Post.MAKER, today) is None:
        raise Forbidden("batch.no_delegation")
    fund_name = (await fund_names(tx)).get(new.fund)
    if fund_name is None:
        raise Invalid("fund.unknown", field="fund")
    terms = terms_of((await parameters(tx, today)).get("agent_bank"), new.fund)
    account = debit_account(fund_name, district)
    for cell, said in (("debit_account", account), ("bank", terms.bank)):
        if not holds(FORMS[terms.format], cell, said):
            raise Invalid("bank_file.not_carried", field="fund", cell=cell)
    about = {
        "district": district,
        "fund": new.fund,
        "debit_account": account,
        "terms": terms.written(),
        "filter": stored_filter(new.filter, new.limit),
    }
    batch_id = await _open(tx, about, None, me.user_id, By.actor(me, Post.MAKER, now))
    return await view_of(tx, batch_id)


async def open_sibling(tx: Tx, batch: Batch, limit: int, by: By) -> UUID:
    """Open another batch for what is left of an opening: as its first, over at most `limit` claims."""
    about = {name: getattr(batch, name) for name in ("district", "fund", "debit_account", "terms")}
    about["filter"] = {**batch.filter, "limit": limit}
    return await _open(tx, about, batch.series or batch.id, batch.opened_by, by)


async def _open(tx: Tx, about: Mapping[str, Any], series: UUID | None, opened_by: UUID, by: By) -> UUID:
    serial = (await tx.execute(select(BATCH_NUMBERS.next_value()))).scalar_one()
    batch_id = uuid4()
    batch = {
        "number": f"{CITY}{business_day(by.at):%Y%m%d}-{serial:06d}",
        **about,
        "status": str(BATCH_LIFECYCLE.first),
    }
    series = series or batch_id
    noted = {**batch, "series": str(series), "opened_by": str(opened_by)}
    await record(tx, "batch", [batch_id], "open", by, [noted])
    own = {"id": batch_id, "series": series, "opened_by": opened_by, "opened_at": by.at}
    await tx.execute(insert(BatchRow).values(**own, **batch))
    await tx.execute(insert(ProgressRow).values(batch_id=batch_id))
    await owe(tx, Job.ASSEMBLE_BATCH, batch_id)
    return batch_id


async def tell_progress(tx: Tx, batch_id: UUID, done: int, total: int) -> None:
    """So many of so many claims have become lines; nothing for a batch of before."""
    await tx.execute(update(ProgressRow).where(ProgressRow.batch_id == batch_id).values(done=done, total=total))
