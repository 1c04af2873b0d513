"""Mandates, claims, rosters, what is kept with them, and how they are reviewed."""

from service.claims.tables.accounts import AccountCheckRow
from service.claims.tables.claims import (
    ALIVE_SQL,
    DEAD_SQL,
    ClaimAppealRow,
    ClaimCorrectionRow,
    ClaimHoldRow,
    ClaimObjectionRow,
    ClaimRow,
    ClaimTallyDeltaRow,
    ClaimTallyRow,
    ClaimTallySumRow,
    DoorRefusalRow,
    MandateRevocationRow,
    MandateRow,
    RegisterFindingRow,
)
from service.claims.tables.drafts import ClaimDraftRow
from service.claims.tables.review import ClaimApprovalRow, ClaimLeaseRow, ClaimRecusalRow
from service.claims.tables.rosters import RosterLineRow, RosterPortionRow, RosterRow

__all__ = [
    "ALIVE_SQL",
    "DEAD_SQL",
    "AccountCheckRow",
    "ClaimAppealRow",
    "ClaimApprovalRow",
    "ClaimCorrectionRow",
    "ClaimDraftRow",
    "ClaimHoldRow",
    "ClaimLeaseRow",
    "ClaimObjectionRow",
    "ClaimRecusalRow",
    "ClaimRow",
    "ClaimTallyDeltaRow",
    "ClaimTallyRow",
    "ClaimTallySumRow",
    "DoorRefusalRow",
    "MandateRevocationRow",
    "MandateRow",
    "RegisterFindingRow",
    "RosterLineRow",
    "RosterPortionRow",
    "RosterRow",
]
