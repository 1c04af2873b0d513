"""What each page is made of, read through the features' queries: few statements, however much a page shows."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from domain.notice_objection import ANSWER_WORKING_DAYS
from service.catalog.queries.editions import printings_of
from service.catalog.queries.published import catalog_on
from service.database import Tx
from service.pages import amounts_in_words, calculator, catalog_pages, demo_cast, notice_pages, registry_pages
from service.pages.headline import Headline, Paid
from service.policies.queries import parameters
from service.standards.queries.amounts import ladders_on
from service.statistics.queries.paid import latest_count
from service.statistics.queries.share import By, individual_share, parse_span

#: Notices on the first page; the others are a click away.
_NOTICES_MAX = 6


async def home(tx: Tx, today: date) -> dict[str, Any]:
    """The share since 1 January, the lists of the edition in force, the notices of today, and whom the demo plays."""
    share = await individual_share(tx, parse_span(None, None, today), By.MONTH, public=True)
    catalog = await catalog_on(tx, today)
    notices = (await notice_pages.running(tx, today))["notices"]
    return {
        "notices": notices[:_NOTICES_MAX],
        "more_notices": max(len(notices) - _NOTICES_MAX, 0),
        "objection_days": ANSWER_WORKING_DAYS,
        "headline": Headline.of(share),
        "paid": Paid.of(await latest_count(tx, today)),
        "sample": share.sample,
        "edition": catalog.edition,
        "lists": catalog_pages.lists_of(catalog.items),
        "codes": len({row.code for row in catalog.items if row.code}),
        "cast": demo_cast.CAST,
        "password": demo_cast.PASSWORD,
        "districts": demo_cast.DISTRICTS,
    }


async def search(tx: Tx, asked: catalog_pages.Search, today: date) -> dict[str, Any]:
    """The occupations that were asked for, with their amounts; names like it when there is none."""
    catalog = await catalog_on(tx, today)
    hits = (await catalog_on(tx, today, asked.text, asked.list_kind)).items
    hits = catalog_pages.of_tag((row for row in hits if asked.industry in {"", row.industry}), asked.tag)
    if asked.level:
        priced = await ladders_on(tx, {row.code for row in hits if row.code}, today)
        of_level = {code for code, ladder in priced.items() if asked.level in {view.level for view in ladder}}
        hits = [row for row in hits if row.code in of_level]
    found = catalog_pages.Slice.of(catalog_pages.entries_of(hits, catalog.items), asked.first)
    ladders = await ladders_on(tx, found.codes, today)
    return {
        "search": asked,
        "edition": catalog.edition,
        "lists": [each for each in catalog_pages.lists_of(catalog.items) if each.count],
        "industries": catalog_pages.industries_of(catalog.items),
        "levels": catalog_pages.COLUMNS,
        "sought_levels": catalog_pages.SOUGHT,
        "tags": catalog_pages.TAGS,
        "found": found,
        "prices": {code: catalog_pages.Price(ladder) for code, ladder in ladders.items()},
        "sample": any(view.sample for ladder in ladders.values() for view in ladder),
        "near": [] if hits else catalog_pages.names_near(asked.text, catalog.items),
    }


async def occupation(tx: Tx, code: str, asked: Mapping[str, str], today: date) -> dict[str, Any]:
    """Everything the edition in force prints of a code, what is paid for each level, what one gets who was `asked`
    about, and where to learn it; no `entry`, no such code."""
    catalog = await catalog_on(tx, today, code)
    rows = [row for row in catalog.items if row.code == code]
    ladder = (await ladders_on(tx, [code], today)).get(code, [])
    printings = await printings_of(tx, code)
    if not rows:
        return {"code": code, "edition": catalog.edition, "entry": None, "printings": printings}
    return {
        **await registry_pages.where_to(tx, code, today),
        "calculator": await calculator.asked_of(tx, code, asked, today),
        "printings": printings,
        "code": code,
        "edition": catalog.edition,
        "entry": next(iter(catalog_pages.entries_of(rows, rows)), None),
        "ladder": ladder,
        "in_short": {view.level: amounts_in_words.in_short(view.steps) for view in ladder},
        "raised": amounts_in_words.raised_by(ladder),
        "sources": list(dict.fromkeys(view.source for view in ladder)),
        "sample": any(view.sample for view in ladder),
        "policies": await parameters(tx, today),
    }
