"""The agent bank that pays out of a fund's account, and what was agreed with it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self

from domain.errors import Invalid
from domain.workday import WorkCalendar

NAME_LENGTH_MAX = 40
_CODE = re.compile("[a-z][a-z_]{0,39}")
_CUT_OFF = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class BankFormat(StrEnum):
    """The form of the files that go there and come back; one module of `service/gateways/bank_files` each."""

    NEUTRAL = "neutral"
    AGENT_GBK = "agent_gbk"
    ISO20022 = "iso20022"


class BankWay(StrEnum):
    """How files travel: asked over HTTP, or carried by two persons."""

    HTTP = "http"
    FILES = "files"


#: A file of more lines is split over batches: how many each form carries at most.
LINES_MAX: Mapping[BankFormat, int] = {
    BankFormat.NEUTRAL: 100_000,
    BankFormat.AGENT_GBK: 9_999,
    BankFormat.ISO20022: 100_000,
}
_DAYS_MAX = 60
#: Terms agreed before these could be said do not have them.
_LATER = frozenset({"opens", "every_day"})
DUPLICATE_MINUTES_MAX = 7 * 24 * 60


@dataclass(frozen=True)
class BankTerms:
    """What a batch is paid under, kept on it from its opening, so that it gives the same bytes for ever.

    `lines_max`: lines of one file. `cut_off`: what is sent later in the day (Asia/Shanghai, HH:MM), or on a day on
    which banks do not work, goes on the next working day. `duplicate_minutes`: how long after a file was first sent
    the bank promises to recognise the same bytes under the same id (0: it promises nothing). `opens`: from when on it
    takes files. `every_day`: it takes them on weekends and holidays as well.
    """

    bank: str
    format: BankFormat
    way: BankWay
    lines_max: int
    cut_off: str
    duplicate_minutes: int
    opens: str = "00:00"
    every_day: bool = False

    @classmethod
    def read(cls, written: object) -> Self:
        """From a mapping with just these names, `opens` and `every_day` left out where they are the usual. Invalid
        `policy.not_agent_bank`, field `value`."""
        names = cls.__dataclass_fields__.keys()
        if not isinstance(written, dict) or not names - _LATER <= written.keys() <= names:
            raise _not_terms()
        try:
            terms = cls(**{**written, "format": BankFormat(written["format"]), "way": BankWay(written["way"])})
        except ValueError:
            raise _not_terms() from None
        named = isinstance(terms.bank, str) and 0 < len(terms.bank.strip()) <= NAME_LENGTH_MAX
        times = (terms.opens, terms.cut_off)
        timed = all(isinstance(each, str) and _CUT_OFF.fullmatch(each) for each in times) and times[0] < times[1]
        if not isinstance(terms.every_day, bool) or not (
            named and timed and _is_whole(terms.lines_max, 1, LINES_MAX[terms.format])
        ):
            raise _not_terms()
        if not _is_whole(terms.duplicate_minutes, 0, DUPLICATE_MINUTES_MAX):
            raise _not_terms()
        return terms

    def written(self) -> dict[str, Any]:
        """As `read` takes it."""
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in asdict(self).items()}

    @property
    def closes_at(self) -> time:
        """The cut-off as a time of day in Asia/Shanghai."""
        return time.fromisoformat(self.cut_off)

    def takes_from(self, at: datetime, calendar: WorkCalendar) -> datetime:
        """The first moment from `at` on (both in Asia/Shanghai) at which the bank takes a file; `at` itself when it
        is open. The minute of the cut-off belongs to the day."""
        opens = time.fromisoformat(self.opens)
        late = at.time().replace(second=0, microsecond=0) > self.closes_at
        day = at.date() + timedelta(days=1 if late else 0)
        while not (self.every_day or calendar.is_workday(day)):
            day += timedelta(days=1)
        return max(at, datetime.combine(day, opens, at.tzinfo))


#: Sending takes its time, and what arrives after the window is a file like any other.
RESEND_MARGIN = timedelta(minutes=3)


def resend_until(terms: BankTerms, first_sent_at: datetime) -> datetime | None:
    """Until when the same bytes may begin to leave again (promise 5); None where the bank promises nothing, or files
    do not travel over HTTP."""
    if terms.way is not BankWay.HTTP or terms.duplicate_minutes == 0:
        return None
    return first_sent_at + timedelta(minutes=terms.duplicate_minutes) - RESEND_MARGIN


#: What batches were paid under before there was an agreement to read, and are where a city has set none yet.
UNSAID = BankTerms("代发银行", BankFormat.NEUTRAL, BankWay.HTTP, 9_999, "23:59", 0, every_day=True)


class AgentBanks:
    """`{default, funds}`: the terms of the bank for whatever fund is not named, and fund → terms for others."""

    def check(self, value: object) -> None:
        if (
            not isinstance(value, dict)
            or value.keys() != {"default", "funds"}
            or not isinstance(value["funds"], dict)
        ):
            raise _not_terms()
        if not all(isinstance(code, str) and _CODE.fullmatch(code) for code in value["funds"]):
            raise _not_terms()
        for written in (value["default"], *value["funds"].values()):
            BankTerms.read(written)


class BanksByDays:
    """Bank, as its terms name it → working days (1 to 60): it debits each payment by itself, and after so many days
    a statement without the debit shows that the payment was not made. A bank that debits files in one sum is not
    named: its statements show of no payment by itself."""

    def check(self, value: object) -> None:
        """Invalid `policy.not_bank_days`."""
        named = isinstance(value, dict) and all(
            isinstance(bank, str) and 0 < len(bank.strip()) <= NAME_LENGTH_MAX and _is_whole(days, 1, _DAYS_MAX)
            for bank, days in value.items()
        )
        if not named:
            raise Invalid("policy.not_bank_days", field="value")


def terms_of(policy: Mapping[str, Any] | None, fund: str) -> BankTerms:
    """The terms for a fund, by the value of the policy `agent_bank` (None: it is not set)."""
    return UNSAID if policy is None else BankTerms.read(policy["funds"].get(fund, policy["default"]))


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _not_terms() -> Invalid:
    return Invalid("policy.not_agent_bank", field="value", formats=list(BankFormat), ways=list(BankWay))
