"""The frame of finance's pages: the doors that each post has, and where each list begins."""

from datetime import date
from typing import Any

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.step_up import SIGNERS
from service.clawbacks.commands.demanding import OFFICERS
from service.pages.rendering import private

#: Who sees how the bank's files, lines and payments stand.
EYES = (*SIGNERS, Post.AUDITOR)
_FUNDS = (*EYES, Post.REVIEWER)
_OWED = (Post.REVIEWER, *OFFICERS, Post.AUDITOR)
#: Address → name, and who finds something there.
_DOORS = (
    ("/finance", "批次", EYES),
    ("/finance/returns", "回盘和异常", EYES),
    ("/finance/unknown", "结果不明", EYES),
    ("/finance/funds", "资金", _FUNDS),
    ("/funds/statement", "资金月报", (Post.FINANCE_SIGNER,)),
    ("/finance/delegations", "代签委托", (Post.FINANCE_SIGNER,)),
    ("/finance/clawbacks", "追回", _OWED),
    ("/finance/statements", "对账", EYES),
    ("/journal", "日志", (Post.AUDITOR,)),
)


def doors_of(me: Actor) -> list[tuple[str, str]]:
    """(name, address) of what is this person's."""
    return [(name, address) for address, name, posts in _DOORS if me.holds(*posts)]


def page(
    request: Request[Any, Any, Any], template: str, today: date, me: Actor, *, status: int = 200, **given: Any
) -> Response[bytes]:
    """A page of finance, with the doors of whoever asks."""
    shown = {"doors": doors_of(me), "posts": me.posts, **given}
    return private(request, f"finance/{template}.html", today, status=status, **shown)
