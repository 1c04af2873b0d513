"""How an amount is formed: a formula of named terms over facts, and the steps that made each amount (notice 三.6).

A formula is data: signed, stored as it was written, and computed exactly (whole fen and percents, fractions between).
"""

from domain.standard.fee import capped_by_fee
from domain.standard.forming import Formed, Steps, form, recompute
from domain.standard.formula import FACTS, OF_OCCUPATIONS, OF_PROJECTS, Fact, Formula, Given, Shape
from domain.standard.lookup import Found, FoundProject, why_no_project, why_none
from domain.standard.parsing import AMOUNT_MOST_FEN, parse_formula
from domain.standard.sets import (
    SET_LIFECYCLE,
    WORKS_ON_STANDARDS,
    Bureau,
    SetAction,
    SetStatus,
    bureau_of,
    content_of,
    must_be_explained,
    must_be_three_persons,
    occupation_facts,
)
from domain.standard.whatif import Cell, Change, Cost, Place, along, compare

__all__ = [
    "AMOUNT_MOST_FEN",
    "FACTS",
    "OF_OCCUPATIONS",
    "OF_PROJECTS",
    "SET_LIFECYCLE",
    "WORKS_ON_STANDARDS",
    "Bureau",
    "Cell",
    "Change",
    "Cost",
    "Fact",
    "Formed",
    "Formula",
    "Found",
    "FoundProject",
    "Given",
    "Place",
    "SetAction",
    "SetStatus",
    "Shape",
    "Steps",
    "along",
    "bureau_of",
    "capped_by_fee",
    "compare",
    "content_of",
    "form",
    "must_be_explained",
    "must_be_three_persons",
    "occupation_facts",
    "parse_formula",
    "recompute",
    "why_no_project",
    "why_none",
]
