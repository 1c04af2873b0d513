"""Finance signs on pages: what is shown is what is signed, with password and code, each by another person."""

import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

import httpx
import pytest

from domain.actor import Post
from domain.batch import BatchStatus
from domain.batch_checks import Beside, Checks, checks_of
from domain.money import format_yuan
from service.access.commands import step_up
from service.batches.queries import find_batch
from service.database import transaction
from service.pages import finance, money_doing
from service.pages import signing as signing_pages
from tests.app import the_app
from tests.pages import Browser, at_a_browser, read
from tests.payments import journal_of
from tests.service.test_step_up import PASSWORD, Signer, Signing, signing

__all__ = ["signing"]  # a fixture


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """As browsers reach a real service: its cookies want TLS."""
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="https://zhida.test") as client:
        yield client


@dataclass
class Window(Browser):
    """A signer's browser."""

    signer: Signer


@pytest.fixture
async def windows(signing: Signing) -> AsyncIterator[dict[Post, Window]]:
    async with AsyncExitStack() as open_ones:
        found = {}
        for post, signer in signing.signers.items():
            if not signer.secret:
                await signer.enrol()
            browser = await open_ones.enter_async_context(at_a_browser(signer.token))
            found[post] = Window(browser.client, signer)
        yield found


@pytest.fixture
def asked(windows: dict[Post, Window], monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, as if the policy said so, which is everybody's in this database."""
    assert windows

    async def always(*_: object) -> bool:
        return True

    for module in (step_up, money_doing, signing_pages, finance):
        monkeypatch.setattr(module, "asked_for", always)


@pytest.mark.usefixtures("asked")
async def test_three_persons_sign_on_pages(signing: Signing, windows: dict[Post, Window]) -> None:
    at, batch = f"/finance/batches/{signing.batch.id}", signing.batch
    desk = read(await windows[Post.MAKER].get("/finance"))
    assert batch.number in desk.text
    for post, waits in ((Post.MAKER, "经办"), (Post.CHECKER, "复核"), (Post.RELEASER, "拨付")):
        window = windows[post]
        page = await window.get(at)
        shown = read(page)
        assert batch.content_hash in shown.text
        assert re.search(rf"{waits}\s*等待签署", shown.text)
        day = f"{signing.stage.world.today}".split("-")
        transfer = dict(zip(("transferred_on_y", "transferred_on_m", "transferred_on_d"), day, strict=True))
        fields = {
            "password": PASSWORD,
            "code": await window.signer.code(),
            "voucher": f"V-{batch.number}",
            **transfer,
        }
        signed = await window.send(page, f"{at}/sign", **fields)
        assert (signed.status_code, signed.headers["location"]) == (303, f"{at}?told=signed"), signed.text
    async with transaction() as tx:
        now_so = await find_batch(tx, signing.stage.staff[Post.MAKER], batch.id)
    assert now_so.status == BatchStatus.RELEASED
    assert "没有等你签" not in read(await windows[Post.CHECKER].get(at)).text


async def test_where_no_code_is_asked_for_no_page_asks(signing: Signing, windows: dict[Post, Window]) -> None:
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    page = await window.get(at)
    assert 'name="code"' not in page.text
    assert (await window.send(page, f"{at}/sign")).headers["location"] == f"{at}?told=signed"


@pytest.mark.usefixtures("asked")
async def test_pressed_twice_it_is_signed_once_and_says_so(signing: Signing, windows: dict[Post, Window]) -> None:
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    page = await window.get(at)
    given = {"password": PASSWORD, "code": await window.signer.code()}
    for _ in range(2):
        assert (await window.send(page, f"{at}/sign", **given)).headers["location"] == f"{at}?told=signed"


@pytest.mark.usefixtures("asked")
async def test_a_wrong_code_signs_nothing_and_the_page_says_so(signing: Signing, windows: dict[Post, Window]) -> None:
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    page = await window.get(at)
    for code, password, said in (
        ("12345", PASSWORD, "6 位数字"),
        ("一二三四五六", PASSWORD, "6 位数字"),
        (await window.signer.code(), "another", "不对"),
    ):
        wrong = await window.send(page, f"{at}/sign", password=password, code=code)
        assert wrong.status_code == 409
        assert said in read(wrong).text
        assert PASSWORD not in wrong.text
    async with transaction() as tx:
        assert (await find_batch(tx, signing.stage.staff[Post.MAKER], signing.batch.id)).status == BatchStatus.FROZEN


async def test_why_three_check_is_said_before_and_after_it_is_signed(
    signing: Signing, windows: dict[Post, Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    assert "人复核：" not in read(await window.get(at)).text  # its sum is small, and nothing is beside it

    def counted(_: object, sum_fen: int, others: Sequence[Beside], on: date) -> Checks:
        return checks_of({"two_from_fen": 1, "three_from_fen": 2}, sum_fen, [*others, other], on)

    other = Beside("JN-BESIDE", BatchStatus.SENT, 90_000_000, signing.stage.world.today, same_opening=False)
    monkeypatch.setattr(sys.modules["service.batches.queries.checks"], "checks_of", counted)
    said = (
        f"要 3 个人复核：.*共 2 个批次，合计 {format_yuan(90_000_000 + (signing.batch.sum_fen or 0))}，达到 0.02 元"
    )
    page = await window.get(at)
    assert re.search(said, read(page).text)
    assert "第三次复核" in read(page).text
    signed = await window.send(page, f"{at}/sign", password=PASSWORD, code=await window.signer.code())
    assert signed.status_code == 303
    monkeypatch.undo()  # it is kept with the batch
    page = await windows[Post.CHECKER].get(at)
    assert re.search(said, read(page).text)
    assert "一起算的：JN-BESIDE" in read(page).text


async def test_what_was_not_shown_is_not_signed(signing: Signing, windows: dict[Post, Window]) -> None:
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    page = await window.get(at)
    fields = {"password": PASSWORD, "code": await window.signer.code(), "sum_fen": "1"}
    other = await window.send(page, f"{at}/sign", **fields)
    assert other.status_code == 409
    assert "有 1 处要改" in read(other).text
    assert "你看的时候内容变了，没有签" in read(other).text
    assert read(other).words["del"][1] == "0.01 元"  # as it was sent, beside what is there
    for strange in ("", "NaN", "1e9", "-5", "9" * 30):
        fields = {"password": PASSWORD, "code": await window.signer.code(), "sum_fen": strange}
        assert (await window.send(page, f"{at}/sign", **fields)).status_code == 409
    async with transaction() as tx:
        assert (await find_batch(tx, signing.stage.staff[Post.MAKER], signing.batch.id)).status == BatchStatus.FROZEN


async def test_who_signed_does_not_sign_again_and_that_is_noted(
    signing: Signing, windows: dict[Post, Window]
) -> None:
    at, window = f"/finance/batches/{signing.batch.id}", windows[Post.MAKER]
    page = await window.get(at)
    await window.send(page, f"{at}/sign", password=PASSWORD, code=await window.signer.code())
    again = await window.get(at)
    assert "签署同意" not in again.text  # the next signature is another's
    given = {"password": PASSWORD, "code": await window.signer.code(1), "once": str(uuid4())}
    refused = await window.send(page, f"{at}/sign", **given)
    assert refused.status_code == 409
    async with transaction() as tx:
        assert [each.action for each in await journal_of(tx, "batch_refusal", signing.batch.id)] == ["refused_check"]


async def test_a_checker_says_no_with_a_reason(signing: Signing, windows: dict[Post, Window]) -> None:
    at = f"/finance/batches/{signing.batch.id}"
    page = await windows[Post.MAKER].get(at)
    await windows[Post.MAKER].send(
        page, f"{at}/sign", password=PASSWORD, code=await windows[Post.MAKER].signer.code()
    )
    page = await windows[Post.CHECKER].get(at)
    empty = await windows[Post.CHECKER].send(page, f"{at}/reject", reason="")
    assert empty.status_code == 409
    code = re.search(r'<option value="(\w+)"', page.text[page.text.index("为什么") :])
    assert code is not None
    told = await windows[Post.CHECKER].send(page, f"{at}/reject", reason=code[1], note="金额要再看")
    assert told.headers["location"] == f"{at}?told=rejected"
    assert "已退回经办" in read(await windows[Post.CHECKER].get(f"{at}?told=rejected")).text
