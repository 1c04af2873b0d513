"""What an officer's list of claims is made of, and the frame that all pages of the desk share."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.workday import WorkCalendar
from service.access.queries import district_names
from service.database import Tx
from service.pages import forms
from service.pages.forms import Fault
from service.pages.rendering import private
from service.policies.queries import work_calendar
from service.wording import words
from service.work.commands.taking import LOOKS, take_next
from service.work.queries import beside, due, waiting
from service.work.queries.kinds import kinds_of
from service.work.queries.waiting import Chosen
from service.work.schemas import DueView, Kind, LeasesView, NewTaking, WaitingCounts, WorkView

_Request = Request[Any, Any, Any]
#: Who has pages here.
OFFICERS = (Post.ACCEPTOR, *LOOKS, Post.NOTICE_PUBLISHER)
_ROWS_A_PAGE = 15
#: Doors of the desk, and for which posts.
_DOORS = (
    ("待审申领", "/desk", LOOKS),
    ("成批通过", "/desk/claims/set", (Post.REVIEWER,)),
    ("公示", "/desk/notices", (Post.NOTICE_PUBLISHER,)),
    ("公示异议", "/desk/notice-objections", (Post.NOTICE_PUBLISHER,)),
    ("异议", "/desk/objections", (Post.REVIEWER,)),
    ("复核申请", "/desk/appeals", (Post.REVIEWER,)),
    ("超期", "/desk/overdue", (*LOOKS, Post.NOTICE_PUBLISHER)),
    ("窗口录入", "/desk/counter", (Post.ACCEPTOR,)),
)
_APPEALS = "/desk/appeals"
#: What has a list of its own; those of one list share a tab, under the first one's name.
_ELSEWHERE = {
    Kind.APPEAL: _APPEALS,
    Kind.AMOUNT_APPEAL: _APPEALS,
    Kind.DEMAND_APPEAL: _APPEALS,
    Kind.OBJECTION: "/desk/objections",
}


@dataclass(frozen=True)
class Tab:
    """`late`: how many of them are, where the page that it leads to does not count them."""

    name: str
    count: int
    href: str
    here: bool
    late: int = 0


@dataclass(frozen=True)
class Line:
    """One claim of the list: `left` working days until it is due, below nothing when it is late; None: no day."""

    work: WorkView
    left: int | None
    channel: str

    @property
    def hot(self) -> bool:
        return self.left is not None and self.left <= 0


async def shown(
    request: _Request, tx: Tx, me: Actor, template: str, today: date, at: str, *, status: int = 200, **given: Any
) -> Response[bytes]:
    """A page of the desk in its frame: where I work, and the doors that my posts open."""
    there = (await district_names(tx)).get(me.district or "", "全市")
    doors = [(name, address) for name, address, posts in _DOORS if me.holds(*posts)]
    frame = {"desk": f"{there}审核", "doors": doors, "at": at}
    return private(request, f"desk/{template}.html", today, status=status, **{**frame, "typed": {}, **given})


def working_days_left(calendar: WorkCalendar, today: date, due_on: date) -> int:
    """Working days from today (not counted) to the day (counted); below nothing: it is past."""
    return _worked(calendar, today, due_on) if due_on >= today else -max(1, _worked(calendar, due_on, today))


def _worked(calendar: WorkCalendar, first: date, last: date) -> int:
    days = (date.fromordinal(each) for each in range(first.toordinal() + 1, last.toordinal() + 1))
    return sum(calendar.is_workday(day) for day in days)


async def listed(
    request: _Request, tx: Tx, me: Actor, chosen: Chosen, after: str | None, today: date, now: datetime
) -> Response[bytes]:
    """What waits for me, due first; who works on what; what I did last where nothing waits."""
    return await _list(request, tx, me, chosen, after, today, now, [])


async def _list(
    request: _Request,
    tx: Tx,
    me: Actor,
    chosen: Chosen,
    after: str | None,
    today: date,
    now: datetime,
    faults: list[Fault],
) -> Response[bytes]:
    kinds = kinds_of(me)
    kind = chosen.kind if chosen.kind in kinds else kinds[0]
    # by itself a reviewer's list begins with what a person has to look at
    status = chosen.status or ("in_review" if kind is Kind.REVIEW else None)
    found = await waiting.work(tx, me, Chosen(kind, None, status, chosen.why), after, _ROWS_A_PAGE, now)
    told = await due.summary(tx, me, today)
    names = dict(zip((code for each in found.work for code in each.why), _whys(found.work), strict=True))
    return await shown(
        request,
        tx,
        me,
        "list",
        today,
        "/desk",
        status=409 if faults else 200,
        faults=faults,
        tabs=_tabs(told.work, await beside.waiting_counts(tx, me), kind, status),
        due=next(each for each in told.work if each.kind is kind),
        lines=lines_of(found.work, today),
        next=found.next,
        kind=kind,
        chosen=chosen,
        filtered=chosen.why is not None or after is not None,
        whys=sorted(
            {**names, **({chosen.why: chosen.why} if chosen.why and chosen.why not in names else {})}.items()
        ),
        taken=await beside.taken_by_others(tx, me, now),
        last=await beside.last_done(tx, me),
        once=uuid4(),
    )


def _whys(work: list[WorkView]) -> list[str]:
    return [name for each in work for name in each.why_names]


def lines_of(work: list[WorkView], today: date) -> list[Line]:
    calendar = work_calendar()
    return [
        Line(
            each,
            working_days_left(calendar, today, each.due_on) if each.due_on else None,
            words(f"channel.{each.channel}"),
        )
        for each in work
    ]


def _tabs(told: list[DueView], counts: WaitingCounts, here: Kind, status: str | None) -> list[Tab]:
    tabs = []
    for each in told:
        if each.kind is Kind.REVIEW:
            chosen = here is Kind.REVIEW
            tabs.append(Tab("人工审核", counts.in_review, "/desk", chosen and status == "in_review"))
            href = "/desk?status=verified"
            tabs.append(Tab("可成批通过", counts.verified, href, chosen and status == "verified"))
        elif each.kind in _ELSEWHERE:
            _add_to(tabs, each, _ELSEWHERE[each.kind], here)
        else:
            tabs.append(Tab(each.kind_name, each.waiting, f"/desk?kind={each.kind}", each.kind is here))
    return tabs


def _add_to(tabs: list[Tab], told: DueView, href: str, here: Kind) -> None:
    """What has a list of its own: to the tab that leads there, where there is one."""
    if tabs and tabs[-1].href == href:
        last = tabs.pop()
        count, late, chosen = last.count + told.waiting, last.late + told.overdue, last.here or told.kind is here
        tabs.append(replace(last, count=count, late=late, here=chosen))
    else:
        tabs.append(Tab(told.kind_name, told.waiting, href, told.kind is here, told.overdue))


async def taken_next(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Take the next one and go there; the list, which says that there is none, where none is left."""
    typed, leases = await forms.typed(request), list[UUID]()
    kind = Kind(typed["kind"]) if typed.get("kind") in set(Kind) else Kind.REVIEW

    async def take() -> None:
        once = forms.once_of(request, me, typed, typed.get("once") or str(uuid4()))
        new = NewTaking(kind, 1)
        answer = await once(tx, LeasesView, lambda: take_next(tx, me, new, today, now))
        leases.extend(each.claim_id for each in answer.view.taken)

    if faults := await forms.refused(tx, take):
        said = [("form", each) for _, each in faults]
        return await _list(request, tx, me, Chosen(kind), None, today, now, said)
    return forms.see(f"/desk/claims/{leases[0]}", "taken") if leases else forms.see("/desk", "nothing_to_take")
