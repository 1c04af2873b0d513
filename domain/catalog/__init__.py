"""The catalog: what was published, how it reads, and what is wrong with it.

`published` holds a catalog exactly as it was printed, `reading` says what each cell means, `lists` compares the lists
named in the text with those in the annex, `mistakes` names everything an editor should look at.
"""

from domain.catalog.classification import Occupation
from domain.catalog.mistakes import find_mistakes
from domain.catalog.published import (
    INDUSTRIES,
    CatalogItem,
    Finding,
    Kind,
    NamedList,
    PublishedCatalog,
    PublishedList,
    PublishedRow,
    Severity,
)
from domain.catalog.reading import items_of

__all__ = [
    "INDUSTRIES",
    "CatalogItem",
    "Finding",
    "Kind",
    "NamedList",
    "Occupation",
    "PublishedCatalog",
    "PublishedList",
    "PublishedRow",
    "Severity",
    "find_mistakes",
    "items_of",
]
