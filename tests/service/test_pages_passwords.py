"""What happens while a password is proven on a page: no transaction is open, and who acts then is asked for anew."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from domain.actor import Post
from domain.batch import BatchStatus
from service.access.commands import step_up, users
from service.access.tables import UserRow
from service.batches.queries import find_batch
from service.database import engine, transaction
from service.security import COOKIE, close_session
from tests.pages import Browser
from tests.payments import journal_of
from tests.service.test_pages_finance import Window, asked, client, windows
from tests.service.test_pages_person import PASSWORD as MINE
from tests.service.test_pages_person import browser, signs_in, somebody_new
from tests.service.test_step_up import PASSWORD, Signing, signing

__all__ = ["asked", "browser", "client", "signing", "windows"]  # fixtures


@pytest.mark.parametrize("password", [MINE, "wrong"])
async def test_who_is_signed_out_meanwhile_reads_nothing(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    login = await somebody_new()
    await signs_in(browser, login)
    page, open_ones = await browser.get("/me/data"), list[int]()
    slow = users.password_fits

    async def meanwhile(stored: str, given: str) -> bool:
        open_ones.append(engine().pool.checkedout())  # type: ignore[attr-defined]  # this pool counts
        if len(open_ones) > 1:
            async with transaction() as tx:
                await close_session(tx, browser.client.cookies[COOKIE])
        return await slow(stored, given)

    monkeypatch.setattr(users, "password_fits", meanwhile)
    assert (await browser.send(page, "/me/data/file", password=MINE)).content.startswith(b"PK")
    late = await browser.send(page, "/me/data/file", password=password)
    assert (late.status_code, "身份证号" in late.text) == (401, False)
    assert open_ones == [0, 0]
    async with transaction() as tx:
        who = select(UserRow.person_id).where(UserRow.login == login)
        person = (await tx.execute(who)).scalar_one()
        assert [each.action for each in await journal_of(tx, "person", person)] == ["export"]


@pytest.mark.usefixtures("asked")
async def test_who_is_signed_out_meanwhile_signs_nothing(
    signing: Signing, windows: dict[Post, Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    page, open_ones = await window.get(at), list[int]()
    slow = step_up.password_fits

    async def meanwhile(stored: str, given: str) -> bool:
        open_ones.append(engine().pool.checkedout())  # type: ignore[attr-defined]  # this pool counts
        async with transaction() as tx:
            await close_session(tx, window.signer.token)
        return await slow(stored, given)

    monkeypatch.setattr(step_up, "password_fits", meanwhile)
    late = await window.send(page, f"{at}/sign", password=PASSWORD, code=await window.signer.code())
    assert (late.status_code, open_ones) == (401, [0])
    assert signing.batch.content_hash not in late.text
    async with transaction() as tx:
        assert (await find_batch(tx, signing.stage.staff[Post.MAKER], signing.batch.id)).status == BatchStatus.FROZEN


@pytest.mark.usefixtures("asked")
async def test_a_batch_that_goes_on_while_a_password_is_proven_is_not_signed_for_another_step(
    signing: Signing, windows: dict[Post, Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was shown it to submit it does not check it, because a colleague was quicker."""
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    page = await window.get(at)
    slow, sent = step_up.password_fits, list[str]()

    async def meanwhile(stored: str, given: str) -> bool:
        if not sent:
            sent.append("first")
            fields = {"password": PASSWORD, "code": await window.signer.code()}
            assert (await window.send(page, f"{at}/sign", **fields)).status_code == 303
        return await slow(stored, given)

    monkeypatch.setattr(step_up, "password_fits", meanwhile)
    late = await window.send(
        page, f"{at}/sign", password=PASSWORD, code=await window.signer.code(1), once=str(uuid4())
    )
    assert late.status_code == 409
    async with transaction() as tx:
        now_so = await find_batch(tx, signing.stage.staff[Post.MAKER], signing.batch.id)
        signed = await journal_of(tx, "batch", signing.batch.id)
    assert now_so.status == BatchStatus.SUBMITTED
    assert [each.action for each in signed].count("submit") == 1
