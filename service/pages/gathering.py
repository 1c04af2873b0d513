"""What each page is made of, read through the features' queries: few statements, however much a page shows."""

from datetime import date
from typing import Any

from service.catalog.queries.published import catalog_on
from service.database import Tx
from service.pages import amounts_in_words, catalog_pages, demo_cast
from service.pages.headline import Headline
from service.policies.queries import parameters
from service.standards.queries.amounts import ladders_on
from service.statistics.queries.share import By, individual_share, parse_span


async def home(tx: Tx, today: date) -> dict[str, Any]:
    """The share since 1 January, the lists of the edition in force, and whom the demo plays."""
    share = await individual_share(tx, parse_span(None, None, today), By.MONTH, public=True)
    catalog = await catalog_on(tx, today)
    return {
        "headline": Headline.of(share),
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
    hits = [row for row in hits if asked.industry in {"", row.industry}]
    found = catalog_pages.Slice.of(catalog_pages.entries_of(hits, catalog.items), asked.first)
    ladders = await ladders_on(tx, found.codes, today)
    return {
        "search": asked,
        "edition": catalog.edition,
        "lists": [each for each in catalog_pages.lists_of(catalog.items) if each.count],
        "industries": catalog_pages.industries_of(catalog.items),
        "levels": catalog_pages.COLUMNS,
        "found": found,
        "prices": {code: catalog_pages.Price(ladder) for code, ladder in ladders.items()},
        "sample": any(view.sample for ladder in ladders.values() for view in ladder),
        "near": [] if hits else catalog_pages.names_near(asked.text, catalog.items),
    }


async def occupation(tx: Tx, code: str, today: date) -> dict[str, Any]:
    """Everything the edition in force prints of a code, and what is paid for each level; no `entry`, no such code."""
    catalog = await catalog_on(tx, today, code)
    rows = [row for row in catalog.items if row.code == code]
    ladder = (await ladders_on(tx, [code], today)).get(code, [])
    return {
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
