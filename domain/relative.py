"""回避: how an officer may be related to people whose claims they then leave to others."""

from enum import StrEnum


class Relation(StrEnum):
    SPOUSE = "spouse"
    PARENT = "parent"
    CHILD = "child"
    SIBLING = "sibling"
    IN_LAW = "in_law"
    OTHER = "other"


#: How many an officer declares at most.
RELATIVES_MAX = 50


class Bar(StrEnum):
    """Why an officer leaves a claim to others; LEASED passes by itself."""

    OWN = "own"
    RELATIVE = "relative"
    RECUSED = "recused"
    ACTED_ON = "acted_on"
    HELD = "held"
    LEASED = "leased"
