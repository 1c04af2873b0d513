"""Return files: every line settles one payment once, or waits for a person and keeps no other line waiting."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from service.batches import commands as batch_commands
from service.batches.schemas import BatchView
from service.crypto import keyring
from service.database import Tx, transaction
from service.gateways.bank import FileState
from service.journal import By
from service.queue import Job
from service.reconciliation import commands, queries
from service.reconciliation.schemas import ReturnView
from service.reconciliation.tables import ReturnFileRow, ReturnLineRow
from service.security import open_session
from tests.app import the_app
from tests.payments import (
    Said,
    Stage,
    a_return,
    attempt_statuses,
    claim_statuses,
    journal_of,
    lines_of,
    ready_jobs,
)
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


async def take(tx: Tx, stage: Stage, data: bytes, me: Actor | None = None) -> ReturnView:
    by = By.actor(me or stage.staff[Post.MAKER], Post.MAKER, stage.world.now)
    return await commands.take_return(tx, me, commands.read(data), data, "upload", by)


async def references(tx: Tx, batch: BatchView) -> list[str]:
    return [line.reference for line in await lines_of(tx, batch.id)]


async def paid_in_order(tx: Tx, stage: Stage, batch: BatchView) -> list[str]:
    """The claims' statuses in order of their references."""
    return await claim_statuses(tx, [line.claim_id for line in await lines_of(tx, batch.id)])


async def of(tx: Tx, batch: BatchView, *codes: str) -> list[Said]:
    """One line for each payment of the batch, in order, with these codes."""
    return [
        (reference, AMOUNT, code, "") for reference, code in zip(await references(tx, batch), codes, strict=False)
    ]


def counts(view: ReturnView) -> tuple[int, int, int, int]:
    return view.settled, view.repeats, view.exceptions, view.open


async def test_the_bank_taking_a_file_owes_its_return(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    assert batch.status == "sent"
    assert await attempt_statuses(tx, batch.id) == ["sent"] * 3
    assert Job.FETCH_RETURN in await ready_jobs(tx, batch.id)


async def test_every_outcome_reaches_its_claim(tx: Tx, stage: Stage) -> None:
    await stage.claim(tx)
    batch = await stage.sent(tx)
    view = await take(
        tx, stage, a_return(batch, await of(tx, batch, "done", "failed:permanent", "failed:temporary", "returned"))
    )
    assert counts(view) == (4, 0, 0, 0)
    assert await attempt_statuses(tx, batch.id) == ["done", "failed", "failed", "returned"]
    assert await paid_in_order(tx, stage, batch) == ["paid", "bounced", "bounced", "bounced"]
    assert [line.failure for line in await lines_of(tx, batch.id)] == [
        *("", "failed:permanent", "failed:temporary", "returned")
    ]
    assert (await stage.see(tx, batch.id)).status == "settled"


async def test_the_same_bytes_again_change_nothing(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    data = a_return(batch, await of(tx, batch, "done", "done"))
    first = await take(tx, stage, data)
    again = await take(tx, stage, data)
    assert (again.id, again.known, counts(again)) == (first.id, True, counts(first))
    assert counts(first) == (2, 0, 0, 1)
    assert await attempt_statuses(tx, batch.id) == ["done", "done", "sent"]


async def test_a_missing_line_stays_open_until_a_later_return(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    await take(tx, stage, a_return(batch, await of(tx, batch, "done", "done")))
    assert (await stage.see(tx, batch.id)).status == "sent"
    view = await take(tx, stage, a_return(batch, await of(tx, batch, "done", "done", "done")))
    assert counts(view) == (1, 2, 0, 0)
    assert (await stage.see(tx, batch.id)).status == "settled"
    assert await paid_in_order(tx, stage, batch) == ["paid"] * 3


async def test_what_does_not_fit_waits_for_a_person_and_blocks_nothing(tx: Tx, stage: Stage) -> None:
    elsewhere = await (await Stage.build(tx, stage.world, claims=1)).sent(tx)
    (foreign,) = await references(tx, elsewhere)
    batch = await stage.sent(tx)
    first, second, third = await references(tx, batch)
    view = await take(
        tx,
        stage,
        a_return(
            batch,
            [
                (foreign, AMOUNT, "done", ""),
                ("STRANGER000001", 100, "done", ""),
                (first, AMOUNT + 1, "done", ""),
                (second, AMOUNT, "fine", ""),
                (third, AMOUNT, "done", ""),
                (third, AMOUNT, "done", ""),
                (third, AMOUNT, "failed:permanent", "changed its mind"),
            ],
        ),
    )
    assert counts(view) == (1, 1, 5, 2)
    assert await attempt_statuses(tx, batch.id) == ["sent", "sent", "done"]
    assert await attempt_statuses(tx, elsewhere.id) == ["sent"]
    found = (await queries.list_exceptions(tx, stage.staff[Post.CHECKER], None, 100)).exceptions
    assert [(each.line_no, each.exception) for each in found] == [
        (1, "unknown_reference"),
        (2, "unknown_reference"),
        (3, "amount_differs"),
        (4, "unknown_code"),
        (7, "contradicts"),
    ]
    assert [each.payee is None for each in found] == [True, True, False, False, False]
    assert all("*" in each.payee for each in found if each.payee)


async def test_exceptions_come_by_pages_and_by_district(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    for at in range(2):
        await take(tx, stage, a_return(batch, [(f"STRANGER{at}{n}", 100, "done", "") for n in range(3)]))
    seen: list[str] = []
    cursor: Any = None
    while True:
        page = await queries.list_exceptions(tx, stage.staff[Post.MAKER], cursor, 4)
        seen += [each.reference for each in page.exceptions]
        if page.next is None:
            break
        last = page.exceptions[-1]
        cursor = (last.return_id, last.line_no)
        assert page.next == f"{last.return_id}.{last.line_no}"
    assert sorted(seen) == [f"STRANGER{at}{n}" for at in range(2) for n in range(3)]
    other = stage.world.other_staff[Post.MAKER]
    theirs = (await queries.list_exceptions(tx, other, None, 500)).exceptions
    assert not {each.return_id for each in theirs} & {each.return_id for each in page.exceptions}


async def test_money_comes_back_after_it_was_paid(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    await take(tx, stage, a_return(batch, await of(tx, batch, "done", "done", "done")))
    view = await take(tx, stage, a_return(batch, await of(tx, batch, "done", "returned")))
    assert counts(view) == (1, 1, 0, 0)
    assert await paid_in_order(tx, stage, batch) == ["paid", "bounced", "paid"]
    later = await take(tx, stage, a_return(batch, [*await of(tx, batch, "returned", "returned")]))
    assert counts(later) == (1, 1, 0, 0)
    assert (await stage.see(tx, batch.id)).status == "settled"


async def test_paid_and_come_back_in_one_file(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    first, second, third = await references(tx, batch)
    lines = [
        (first, AMOUNT, "unknown", ""),
        (first, AMOUNT, "done", ""),
        (first, AMOUNT, "returned", "account_closed"),
        (second, AMOUNT, "done", ""),
        (third, AMOUNT, "returned", ""),
        (third, AMOUNT, "returned", ""),
    ]
    assert counts(await take(tx, stage, a_return(batch, lines))) == (5, 1, 0, 0)
    assert await paid_in_order(tx, stage, batch) == ["bounced", "paid", "bounced"]
    attempt = (await lines_of(tx, batch.id))[0]
    assert [row.action for row in await journal_of(tx, "attempt", attempt.id)][-4:] == [
        *("send", "lose_sight", "succeed", "return")
    ]
    assert [row.action for row in await journal_of(tx, "claim", attempt.claim_id)][-2:] == ["pay", "bounce"]


@pytest.mark.parametrize("code", ["unknown", "failed:unknown"])
async def test_unknown_stays_open_until_the_bank_knows(tx: Tx, stage: Stage, code: str) -> None:
    batch = await stage.sent(tx)
    view = await take(tx, stage, a_return(batch, await of(tx, batch, "done", code, "done")))
    assert counts(view) == (3, 0, 0, 1)
    assert await attempt_statuses(tx, batch.id) == ["done", "unknown", "done"]
    assert await paid_in_order(tx, stage, batch) == ["paid", "batched", "paid"]
    view = await take(tx, stage, a_return(batch, await of(tx, batch, "done", "done", "done")))
    assert counts(view) == (1, 2, 0, 0)
    assert (await lines_of(tx, batch.id))[1].failure == ""
    assert (await stage.see(tx, batch.id)).status == "settled"


async def test_another_account_or_district_or_file_is_refused(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    lines = await of(tx, batch, "done")
    for other in ("就业补助资金专户-370102", f"失业保险基金专户-{stage.district}"):
        with pytest.raises(Invalid, match=r"return\.account"):
            await take(tx, stage, a_return(batch, lines, account=other))
    maker = stage.world.other_staff[Post.MAKER]
    with pytest.raises(NotFound, match=r"return\.file_unknown"):
        await take(tx, stage, a_return(batch, lines), maker)
    data = a_return(batch, lines).replace(batch.number.encode(), b"JN19990101-000001")
    with pytest.raises(NotFound, match=r"return\.file_unknown"):
        await take(tx, stage, data)
    with pytest.raises(Invalid, match=r"return\.file_differs"):
        commands.read(a_return(batch, lines), "JN19990101-000001")
    assert (await tx.execute(select(ReturnFileRow.id).where(ReturnFileRow.file_id == batch.number))).all() == []


async def test_a_return_before_the_file_is_refused(tx: Tx, stage: Stage) -> None:
    batch = await stage.written(tx)
    data = a_return(batch, await of(tx, batch, "done", "done", "done"))
    with pytest.raises(Conflict, match=r"return\.too_early"):
        await take(tx, stage, data)
    file = await batch_commands.intend_to_send(tx, batch.id, stage.world.now)
    with pytest.raises(Conflict, match=r"return\.too_early"):
        await take(tx, stage, data)
    assert file is not None
    await batch_commands.settle_answer(tx, file, FileState("not_received"), stage.world.now)
    assert await attempt_statuses(tx, batch.id) == ["unknown"] * 3
    # The bank pays what it says it does not know: its return is the better evidence.
    assert counts(await take(tx, stage, data)) == (3, 0, 0, 0)
    assert (await stage.see(tx, batch.id)).status == "settled"


async def test_what_the_bank_writes_holds_no_account_in_clear(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    (first, *_) = await references(tx, batch)
    card, id_number = "6222021602345601", "11010519491231002X"
    lines = [
        (first, AMOUNT, "failed:permanent", f"户名不符 {card}"),
        (card, 100, f"code {id_number}", f"证件 {id_number} 手机 138 0013 8000"),
    ]
    data = a_return(batch, lines)
    view = await take(tx, stage, data)
    rows = (await tx.execute(select(ReturnLineRow.__table__).where(ReturnLineRow.return_file_id == view.id))).all()
    file = (await tx.execute(select(ReturnFileRow.__table__).where(ReturnFileRow.id == view.id))).one()
    for secret in (card, id_number, "0013 8000"):
        assert secret not in str(rows)
        assert secret.encode() not in file.bytes_sealed
    assert rows[0].reference == first
    assert rows[0].reason == "户名不符 ***"
    assert keyring().open_bytes(file.bytes_sealed, view.id) == data


async def test_bytes_that_are_no_return_are_kept_once_for_a_person(tx: Tx, stage: Stage) -> None:
    batch, data = await stage.sent(tx), b"H,ZHIDA-RETURN-1"
    with pytest.raises(Invalid) as refusal:
        commands.read(data, batch.number)
    by = By(Job.FETCH_RETURN, stage.world.now)
    for _ in range(2):
        await commands.keep_unreadable(tx, batch.number, data, refusal.value, by)
    (found,) = (await queries.list_exceptions(tx, stage.staff[Post.MAKER], None, 100)).exceptions
    assert (found.line_no, found.exception, found.reason) == (0, "return.form", "header")
    (noted,) = await journal_of(tx, "return_file", found.return_id)
    assert (noted.action, noted.reason) == ("receive", "return.form")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


async def test_over_http_a_return_is_handed_in(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        batch = await stage.sent(tx)
        lines = await of(tx, batch, "done", "done", "nonsense")
        maker = (await open_session(tx, stage.staff[Post.MAKER])).token
        stranger = (await open_session(tx, committed.other_staff[Post.MAKER])).token
    data = a_return(batch, lines)

    async def hand_in(body: bytes, token: str = maker, **headers: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv", "Idempotency-Key": str(uuid4())}
        return await client.post("/api/returns", content=body, headers={**given, **headers})

    refused = [
        (422, await hand_in(data[:-20])),
        (422, await hand_in(data.replace(b",1200.00,", b",1200.01,", 1))),
        (422, await hand_in(b"")),
        (422, await hand_in(a_return(batch, lines, account="就业补助资金专户-370102"))),
        (404, await hand_in(data, stranger)),
        (415, await hand_in(data, **{"Content-Type": "application/json"})),
        (
            400,
            await client.get("/api/returns/exceptions?cursor=forged", headers={"Authorization": f"Bearer {maker}"}),
        ),
        (401, await client.post("/api/returns", content=data)),
    ]
    assert [answer.status_code for _, answer in refused] == [status for status, _ in refused]
    assert all(answer.headers["content-type"] == "application/problem+json" for _, answer in refused)
    taken = await hand_in(data, **{"Idempotency-Key": "one"})
    assert (taken.status_code, taken.json()["settled"], taken.json()["exceptions"]) == (201, 2, 1)
    replayed = await hand_in(data, **{"Idempotency-Key": "one"})
    assert (replayed.json(), replayed.headers["Idempotent-Replayed"]) == (taken.json(), "true")
    renamed = await hand_in(data)
    assert renamed.json() == {**taken.json(), "known": True}
    shown = await client.get("/api/returns/exceptions", headers={"Authorization": f"Bearer {maker}"})
    (line,) = shown.json()["exceptions"]
    assert (line["exception"], line["code"], line["amount"]) == ("unknown_code", "nonsense", "1,200 元")
