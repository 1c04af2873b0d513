"""Everything that is held of a person, for that person: masked on the page, whole in the file that they ask for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.errors import Forbidden, Throttled
from domain.level import LEVELS
from service import clock
from service.access.commands import must_be_me
from service.assessments.queries.results import my_results
from service.claims.commands.drafts import drop_draft
from service.claims.queries import drafts, mandates, views
from service.claims.queries.appeals import list_appeals
from service.claims.queries.handled import HANDLED_MAX, Handled, handled_by_others
from service.claims.queries.objections import list_objections
from service.clawbacks.queries import amounts, appealed
from service.clawbacks.queries.mine import my_demands
from service.database import Tx, transaction
from service.employment.queries import list_contracts
from service.gateways.sheet_files import XLSX_TYPE, as_sheet
from service.journal import By, record
from service.messages.queries import my_messages
from service.notices.queries import my_objections
from service.offers.queries import my_offers
from service.oversight.queries.complaints import my_complaints
from service.pages import forms
from service.pages.filing_form import banks
from service.pages.forms import Fault
from service.pages.language import as_written, capital, gettext, said
from service.pages.names import named
from service.pages.rendering import private
from service.people.queries import accounts_in_clear, in_clear
from service.security import digest, must_be_signed_in
from service.training.queries.mine import my_classes
from service.web import private_file
from service.wording import amount_said, day_said, in_chinese, wording, words

_Request = Request[Any, Any, Any]
#: Of each kind on the page, and at a time in the file; a person has a handful in a lifetime.
_MOST = 200
#: In the file, which is in Chinese.
_NOTHING = "没有"


@dataclass(frozen=True)
class Kept:
    """One kind of what is held: what its columns are called, and the rows."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def cut(self) -> bool:
        """Whether as many are listed as a page lists: there may be more, and the file has all."""
        return len(self.rows) >= _MOST


async def pages_of(page: Callable[[Any], Awaitable[Any]], *, whole: bool) -> AsyncIterator[Any]:
    """The first page of a list; `whole`: every page, one after the other."""
    view = await page(None)
    yield view
    while whole and view.next is not None:
        view = await page(view.next)
        yield view


async def held(tx: Tx, me: Actor, today: date, *, whole: bool) -> list[Kept]:
    """All of it; numbers of persons, telephones and cards are masked unless `whole`."""
    return [
        *await _who(tx, me, whole=whole),
        *await _claimed(tx, me, today, whole=whole),
        *await _learnt(tx, me, whole=whole),
        *await _said(tx, me, today, whole=whole),
    ]


async def _who(tx: Tx, me: Actor, *, whole: bool) -> list[Kept]:
    person = await in_clear(tx, me.person_id)
    number = person.number.number if whole else person.number.masked()
    phone = (person.phone.number if whole else person.phone.masked()) if person.phone else gettext("没有")
    cards = [
        [
            as_written(banks().get(each.bank_code, each.bank_code)),
            each.number if whole else said("尾号 %(tail)s", tail=each.tail),
            _day(each.made_at),
        ]
        for each in await accounts_in_clear(tx, me.person_id)
    ]
    return [
        Kept(
            gettext("身份"),
            (gettext("姓名"), gettext("身份证号"), gettext("手机号")),
            [[as_written(person.name), number, phone]],
        ),
        Kept(gettext("收款卡"), (gettext("开户银行"), gettext("卡号"), gettext("哪天填的")), cards),
    ]


async def _claimed(tx: Tx, me: Actor, today: date, *, whole: bool) -> list[Kept]:
    every: dict[str, Any] = {"status": None, "district": None, "limit": _MOST}
    mine = [
        [
            named(each.item_name),
            _level(each.level),
            each.certificate_number or gettext("没有"),
            amount_said(each.amount_fen),
            _day(each.filed_on),
            each.status_name,
        ]
        async for page in pages_of(lambda after: views.claims_page(tx, me, cursor=after, **every), whole=whole)
        for each in page.claims
    ]
    begun = [
        [named(each.typed.get("item", "")), each.typed.get("certificate_number", ""), _day(each.touched_at)]
        for each in await drafts.my_drafts(tx, me)
    ]
    letting = [
        [as_written(each.institution), _day(each.valid_from), _day(each.valid_to), _day(each.revoked_on)]
        async for page in pages_of(lambda after: mandates.list_mandates(tx, me, after, _MOST), whole=whole)
        for each in page.mandates
    ]
    back = [
        [
            each.clawback.number,
            amount_said(each.clawback.amount_fen),
            amount_said(each.clawback.repaid_fen),
            capital(each.clawback.status_name),
        ]
        for each in await my_demands(tx, me, today)
    ]
    item, certificate = gettext("职业"), gettext("证书编号")
    return [
        Kept(
            gettext("申领"),
            (item, gettext("等级"), certificate, gettext("金额"), gettext("提交日期"), gettext("办到哪一步")),
            mine,
        ),
        Kept(gettext("没有交完的申领"), (item, certificate, gettext("最后改动")), begun),
        Kept(
            gettext("代领协议"), (gettext("机构"), gettext("从哪天"), gettext("到哪天"), gettext("哪天收回")), letting
        ),
        Kept(gettext("要退回的钱"), (gettext("编号"), gettext("要退"), gettext("已退"), gettext("办到哪一步")), back),
    ]


async def _learnt(tx: Tx, me: Actor, *, whole: bool) -> list[Kept]:
    classes = [
        [
            each.number or gettext("还没有"),
            as_written(each.institution),
            named(each.occupation),
            _level(each.level),
            _day(each.first),
            _day(each.last),
            said("%(count)s 次", count=each.marks),
        ]
        for each in await my_classes(tx, me)
    ]
    results = [
        [as_written(body), capital(mark), number, _day(on)] for body, mark, number, on in await my_results(tx, me)
    ]
    employed = [
        [as_written(each.enterprise), _day(each.signed_on), _day(each.valid_from), _day(each.valid_to)]
        async for page in pages_of(lambda after: list_contracts(tx, me, after, _MOST), whole=whole)
        for each in page.contracts
    ]
    return [
        Kept(
            gettext("培训班"),
            (
                *(gettext("班次"), gettext("机构"), gettext("职业"), gettext("等级")),
                *(gettext("开班"), gettext("结课"), gettext("考勤记录")),
            ),
            classes,
        ),
        Kept(
            gettext("考核结果"),
            (gettext("评价机构"), gettext("结果"), gettext("证书编号"), gettext("证书日期")),
            results,
        ),
        Kept(gettext("劳动合同"), (gettext("单位"), gettext("签订"), gettext("从哪天"), gettext("到哪天")), employed),
    ]


async def _said(tx: Tx, me: Actor, today: date, *, whole: bool) -> list[Kept]:
    """What I said against decisions and institutions, and what I was told."""
    against = [line for over in (False, True) for line in await _against(tx, me, today, closed=over, whole=whole)]
    for notice in await my_objections(tx, me, today, None if whole else _MOST):
        where = said("第 %(line)s 行", line=notice.line) if notice.line else gettext("整份名单")
        found = as_written(notice.answer) if notice.answer else notice.message
        against.append([gettext("公示异议"), where, _day(notice.filed_on), found])
    complained = [
        [as_written(each.institution_name), as_written(each.words), _day(each.filed_on), _answer(each.answer)]
        async for page in pages_of(lambda after: my_complaints(tx, me, today, after, _MOST), whole=whole)
        for each in page.complaints
    ]
    most = None if whole else _MOST
    told = [
        [as_written(each.text), _day(each.made_at), capital(each.state_name)]
        for each in (await my_messages(tx, me, most)).messages
    ]
    offered = [
        [named(each.item_name), each.certificate_number, amount_said(each.amount_fen), _day(each.expires_on)]
        for each in (await my_offers(tx, me, today, most)).offers
    ]
    return [
        Kept(
            gettext("复核和异议"), (gettext("种类"), gettext("理由"), gettext("哪天提的"), gettext("结果")), against
        ),
        Kept(
            gettext("投诉和意见"),
            (gettext("机构"), gettext("内容"), gettext("哪天提的"), gettext("答复")),
            complained,
        ),
        Kept(gettext("短信"), (gettext("内容"), gettext("哪天"), gettext("是否送到")), told),
        Kept(
            gettext("为你备好的补贴"),
            (gettext("职业"), gettext("证书编号"), gettext("金额"), gettext("到哪天")),
            offered,
        ),
    ]


async def _against(tx: Tx, me: Actor, today: date, *, closed: bool, whole: bool) -> list[list[str]]:
    """What I asked to be looked at again, or objected to: open, or answered."""

    def refused(after: Any) -> Awaitable[Any]:
        return list_appeals(tx, me, today, after, _MOST, closed=closed)

    def paid(after: Any) -> Awaitable[Any]:
        return amounts.list_appeals(tx, me, today, after, _MOST, closed=closed)

    def owed(after: Any) -> Awaitable[Any]:
        return appealed.list_appeals(tx, me, today, after, _MOST, closed=closed)

    def heard(after: Any) -> Awaitable[Any]:
        return list_objections(tx, me, after, _MOST, closed=closed)

    kinds = ((gettext("复核"), refused), (gettext("金额复核"), paid), (gettext("退款复核"), owed))
    asked = [
        [kind, as_written(each.reason), _day(each.appealed_at), each.message]
        for kind, page_of in kinds
        async for page in pages_of(page_of, whole=whole)
        for each in page.appeals
    ]
    return asked + [
        [gettext("异议"), as_written(each.reason), _day(each.raised_at), each.message]
        async for page in pages_of(heard, whole=whole)
        for each in page.objections
    ]


async def shown(request: _Request, tx: Tx, me: Actor, today: date, faults: list[Fault]) -> Response[bytes]:
    """What is held, masked, and who has handled or looked at it."""
    looks = [(each, _what(each)) for each in await handled_by_others(tx, me)]
    begun = bool(await drafts.my_drafts(tx, me))
    page: dict[str, Any] = {"held": await held(tx, me, today, whole=False), "looks": looks, "has_drafts": begun}
    page |= {"typed": {}, "back": "/me", "looks_cut": len(looks) >= HANDLED_MAX}
    status = 422 if faults else 200
    return private(request, "trainee/data.html", today, status=status, faults=faults, **page)


def _what(done: Handled) -> str:
    """What was done, or why somebody looked: by a code of the list, where there is such a one."""
    code = f"unmask.{done.reason}" if done.looked else f"action.{done.action}"
    return words(code) if code in wording() else ""


async def downloaded(request: _Request, me: Actor, today: date, now: datetime) -> Response[Any]:
    """The whole of it as a workbook, for who gives their password again; that they took it is in the journal. No
    transaction is open while the password is proven."""
    typed, faults = await forms.typed(request), list[Fault]()
    try:
        await must_be_me(me, typed.get("password", ""))
    except (Forbidden, Throttled) as refusal:
        faults = [("password", words(refusal.code, refusal.facts))]
    async with transaction() as tx:
        await must_be_signed_in(tx, digest(request.auth))
        if faults:
            return await shown(request, tx, me, today, faults)
        with in_chinese():
            kept = await held(tx, me, today, whole=True)
        counted = {"rows": sum(len(each.rows) for each in kept)}
        await record(tx, "person", [me.person_id], "export", By.actor(me, Post.TRAINEE, now), [counted])
    return private_file(as_sheet(_sheet(kept), "xlsx"), XLSX_TYPE, f"我的数据-{today:%Y%m%d}.xlsx")


def _sheet(kept: Sequence[Kept]) -> list[list[str]]:
    """One under the other: the name of what it is, its heads, its rows, a blank line."""
    lines: list[list[str]] = []
    for each in kept:
        rows = [list(row) for row in each.rows] or [[_NOTHING]]
        lines += [[each.name], list(each.heads), *rows, [""]]
    return lines


async def drafts_dropped(tx: Tx, me: Actor) -> Response[Any]:
    """Forget all that was begun and not sent."""
    for each in await drafts.my_drafts(tx, me):
        await drop_draft(tx, me, each.id)
    return forms.see("/me/data", "drafts_gone")


def _level(code: str) -> str:
    return capital(words(f"level_name.{code}")) if code in LEVELS else code


def _answer(given: str | None) -> str:
    return as_written(given) if given else gettext("还没有")


def _day(on: date | datetime | None) -> str:
    if on is None:
        return gettext("没有")
    return day_said(on.astimezone(clock.SHANGHAI) if isinstance(on, datetime) else on)
