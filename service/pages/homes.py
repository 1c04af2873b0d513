"""Where each person's work begins, and where else they have some."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from domain.actor import Actor, Post
from domain.step_up import PROVERS

_ADDRESS_LENGTH_MAX = 300
_P = Post


@dataclass(frozen=True)
class Desk:
    """A first page: whose work begins there, and who else has something there."""

    address: str
    name: str
    begins: tuple[Post, ...]
    others: tuple[Post, ...] = ()


#: Whoever has several posts begins at the first.
DESKS = (
    Desk("/institution", "机构和单位", (_P.CLERK,)),
    Desk("/me", "我的申领", (_P.TRAINEE,)),
    Desk("/finance", "财务", (_P.MAKER, _P.CHECKER, _P.RELEASER), (_P.AUDITOR,)),
    Desk("/board", "看板", (_P.HR_SIGNER, _P.FINANCE_SIGNER), (_P.CATALOG_PUBLISHER, _P.AUDITOR)),
    Desk("/desk", "审核", (_P.REVIEWER, _P.SECOND_REVIEWER)),
    Desk("/desk/notices", "公示", (_P.NOTICE_PUBLISHER,)),
    Desk("/desk/counter", "窗口", (_P.ACCEPTOR,)),
    Desk("/catalog-desk", "目录", (_P.CATALOG_EDITOR, _P.CATALOG_PUBLISHER)),
    Desk("/catalog-desk/standards", "补贴标准", (_P.STANDARD_EDITOR,), (_P.HR_SIGNER, _P.FINANCE_SIGNER)),
    Desk("/journal", "日志", (_P.AUDITOR,)),
    Desk("/operate", "运行", (_P.OPERATOR,)),
    Desk("/desk/classes", "开班和机构", (_P.INSTITUTION_OFFICER,)),
    Desk("/patrols", "巡查", (_P.INSPECTOR,)),
    Desk("/desk/selections", "入选评分", (_P.ASSESSOR,)),
    Desk("/desk/evaluations", "年度评估", (_P.EVALUATOR,)),
    Desk("/funds/statement", "资金月报", (), (_P.FINANCE_SIGNER, _P.AUDITOR)),
    Desk("/account/code", "动态口令", (), PROVERS),
)


def of(me: Actor | None) -> str:
    """The first page of whoever is signed in; the form where nobody is."""
    if me is None:
        return "/sign-in"
    return next((desk.address for desk in DESKS if me.holds(*desk.begins)), "/")


def desks_of(me: Actor) -> list[Desk]:
    """Everywhere that somebody has work."""
    return [desk for desk in DESKS if me.holds(*desk.begins, *desk.others)]


def local(address: str) -> str:
    """An address of this service as it was asked for; empty for any other, so that no form leads elsewhere."""
    parts = urlsplit(address[:_ADDRESS_LENGTH_MAX].replace("\\", "/"))
    fits = not parts.scheme and not parts.netloc and parts.path.startswith("/") and not parts.path.startswith("//")
    return parts._replace(fragment="").geturl() if fits and address.isprintable() else ""
