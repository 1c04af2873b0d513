"""The funds of a district: what is there and for how long, what is proposed and confirmed, and who stands in."""

from datetime import date, datetime
from typing import Any

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.step_up import Decision
from service.access.queries import district_names
from service.accounting.queries.forecast import forecasts
from service.accounting.schemas import ForecastView
from service.batches import commands as batches
from service.batches.commands.delegating import CITY_FINANCE
from service.batches.queries import list_delegations
from service.batches.schemas import DelegationView, NewDelegation
from service.claims.commands import mending
from service.claims.queries import accounts
from service.claims.schemas import AccountCheckView, NewAccountAnswer
from service.database import Tx
from service.funds import commands, queries
from service.funds.queries import fund_names
from service.funds.schemas import AppropriationView, NewAppropriation, NewDecline, NewTransfer, TransferView
from service.pages import charts
from service.pages.acts import Act, Asked
from service.pages.charts import Chart
from service.web import as_wanted
from service.wording import words

_ANSWERERS = (Post.CHECKER, Post.RELEASER)
_LISTED = 50
_PACE_DAYS = 30
_DAYS_OF_A_MONTH = 30


async def overview(tx: Tx, me: Actor, today: date, now: datetime) -> dict[str, Any]:
    """Positions of this year, how long they last, and what was proposed of them."""
    lasting = (await forecasts(tx, me, today, now, _PACE_DAYS)).forecasts
    return {
        "funds": await queries.funds_view(tx, me, today.year, now),
        "forecasts": [(each, _drawn(each, today)) for each in lasting],
        "pace_days": _PACE_DAYS,
        "appropriations": (await queries.list_appropriations(tx, me, None, _LISTED)).appropriations,
        "transfers": (await queries.list_transfers(tx, me, None, _LISTED)).transfers,
        "districts": await district_names(tx),
    }


def _drawn(lasting: ForecastView, today: date) -> Chart | None:
    """What stays free at the present pace, month by month to the end of the year, in 万元; None where nothing was
    drawn, or nothing is there."""
    months = list(range(today.month, 13))
    if lasting.drawn_fen <= 0 or lasting.free_fen <= 0 or len(months) < 2:
        return None
    a_month = lasting.drawn_fen / _PACE_DAYS * _DAYS_OF_A_MONTH
    left = [max(lasting.free_fen - a_month * after, 0) / 10**6 for after in range(len(months))]
    high = _round_up(left[0])
    return charts.trend(
        left,
        [f"{today.year}-{month:02d}" for month in months],
        [],
        width=560,
        height=180,
        low=0,
        high=high,
        step=high / 4,
        every=max(len(months) // 6, 1),
        unit="",
    )


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 8 times a power of ten, so that an axis has four whole steps."""
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)


async def _funds(asked: Asked) -> dict[str, Any]:
    names = await district_names(asked.tx)
    return {
        "funds": list((await fund_names(asked.tx)).items()),
        "years": [
            (str(year), f"{year} 年") for year in (asked.today.year - 1, asked.today.year, asked.today.year + 1)
        ],
        "districts": list(names.items()),
        "directions": [(code, words(f"direction.{code}")) for code in ("add", "lower")],
        "back": "/finance/funds",
        "at": "/finance/funds",
    }


async def _propose(asked: Asked) -> AppropriationView:
    amount = asked.amount("amount")
    told = {
        "fund": asked.text("fund"),
        "year": _year(asked, "year"),
        "amount_fen": -amount if asked.text("direction") == "lower" else amount,
        "document": asked.text("document"),
        "reason": asked.text("reason"),
    }
    return await commands.propose_appropriation(
        asked.tx, asked.me, as_wanted(told, NewAppropriation), asked.today, asked.now
    )


def _year(asked: Asked, field: str) -> int:
    """Of the list of years, or one that no rule takes."""
    text = asked.text(field)
    return int(text) if text in {str(asked.today.year + off) for off in (-1, 0, 1)} else 0


async def _appropriation(asked: Asked) -> dict[str, Any]:
    view = await queries.appropriation_view(asked.tx, asked.me, asked.id)
    return {"proposal": view, "back": "/finance/funds", "at": "/finance/funds"}


async def _confirm(asked: Asked) -> AppropriationView:
    return await commands.confirm_appropriation(asked.tx, asked.me, asked.id, asked.now)


async def _decline(asked: Asked) -> AppropriationView:
    reason = as_wanted({"reason": asked.text("reason")}, NewDecline).reason
    return await commands.decline_appropriation(asked.tx, asked.me, asked.id, reason, asked.now)


async def _propose_transfer(asked: Asked) -> TransferView:
    ends = {
        side: {
            "district": asked.text(f"{side}_district"),
            "fund": asked.text(f"{side}_fund"),
            "year": _year(asked, f"{side}_year"),
        }
        for side in ("source", "target")
    }
    told = {
        **ends,
        "amount_fen": asked.amount("amount"),
        "document": asked.text("document"),
        "reason": asked.text("reason"),
    }
    return await commands.propose_transfer(asked.tx, asked.me, as_wanted(told, NewTransfer), asked.today, asked.now)


async def _transfer(asked: Asked) -> dict[str, Any]:
    view = await queries.transfer_view(asked.tx, asked.me, asked.id)
    names = await district_names(asked.tx)
    return {"proposal": view, "districts": names, "back": "/finance/funds", "at": "/finance/funds"}


async def _confirm_transfer(asked: Asked) -> TransferView:
    return await commands.confirm_transfer(asked.tx, asked.me, asked.id, asked.now)


async def _decline_transfer(asked: Asked) -> TransferView:
    reason = as_wanted({"reason": asked.text("reason")}, NewDecline).reason
    return await commands.decline_transfer(asked.tx, asked.me, asked.id, reason, asked.now)


async def _delegating(asked: Asked) -> dict[str, Any]:
    return {
        "districts": list((await district_names(asked.tx)).items()),
        "stand_in": [(str(each), words(f"post.{each}")) for each in (Post.MAKER, *_ANSWERERS)],
        "back": "/finance/delegations",
        "at": "/finance",
    }


async def _delegate(asked: Asked) -> DelegationView:
    told = {
        "district": asked.text("district"),
        "post": asked.text("post"),
        "login": asked.text("login"),
        "first_day": asked.day("first_day").isoformat(),
        "last_day": asked.day("last_day").isoformat(),
        "reason": asked.text("reason"),
    }
    new = as_wanted(told, NewDelegation)
    return await batches.propose_delegation(asked.tx, asked.me, new, asked.today, asked.now)


async def _delegation(asked: Asked) -> dict[str, Any]:
    found = (await list_delegations(asked.tx, asked.me, asked.id)).delegations
    if not found:
        raise NotFound("delegation.not_found")
    names = await district_names(asked.tx)
    return {"delegation": found[0], "districts": names, "back": "/finance/delegations", "at": "/finance"}


async def _confirm_delegation(asked: Asked) -> DelegationView:
    return await batches.confirm_delegation(asked.tx, asked.me, asked.id, asked.now)


async def _check(asked: Asked) -> dict[str, Any]:
    check = await accounts.find_check(asked.tx, asked.me, asked.id)
    return {"check": check, "back": "/finance/account-checks", "at": "/finance"}


async def _answer_check(asked: Asked) -> AccountCheckView:
    new = as_wanted({"confirm": asked.yes("confirm"), "note": asked.text("note")}, NewAccountAnswer)
    return await mending.answer_check(asked.tx, asked.me, asked.id, new, asked.now)


_MAKER, _D = (Post.MAKER,), Decision
ACTS = {
    "appropriation": Act(
        _MAKER,
        AppropriationView,
        _funds,
        _propose,
        "proposed",
        ("fund", "year", "direction", "amount", "document", "reason"),
    ),
    "appropriation-confirm": Act(
        _ANSWERERS, AppropriationView, _appropriation, _confirm, "confirmed", decision=_D.APPROPRIATION
    ),
    "appropriation-decline": Act(_ANSWERERS, AppropriationView, _appropriation, _decline, "refused", ("reason",)),
    "transfer": Act(_MAKER, TransferView, _funds, _propose_transfer, "proposed", ("amount", "document", "reason")),
    "transfer-confirm": Act(
        _ANSWERERS, TransferView, _transfer, _confirm_transfer, "confirmed", decision=_D.TRANSFER
    ),
    "transfer-decline": Act(_ANSWERERS, TransferView, _transfer, _decline_transfer, "refused", ("reason",)),
    "delegation": Act(
        CITY_FINANCE,
        DelegationView,
        _delegating,
        _delegate,
        "proposed",
        ("district", "post", "login", "first_day", "last_day", "reason"),
    ),
    "delegation-confirm": Act(
        CITY_FINANCE, DelegationView, _delegation, _confirm_delegation, "confirmed", decision=_D.DELEGATION
    ),
    "account-check": Act((Post.CHECKER,), AccountCheckView, _check, _answer_check, "answered", ("note",), _D.ACCOUNT),
}
