"""Certificates checked by hand, and what they let be approved, over HTTP."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from domain.actor import Post
from service.claims.schemas import ClaimView, NewNote
from service.gateways.file_store import FILE_BYTES_MAX, TYPES
from service.openapi import files
from service.security import allow
from service.verification.commands import manual
from service.verification.queries import manual as seen
from service.verification.schemas import (
    CheckEvidenceView,
    ManualCheckList,
    ManualCheckView,
    NewManualCheck,
    NewSecondCheck,
)
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, private_file, taken

REVIEWERS = allow(Post.REVIEWER)
READERS = allow(Post.REVIEWER, Post.AUDITOR)


@post(
    "/api/claims/{claim_id:uuid}/manual-check/evidence",
    guards=[REVIEWERS],
    request_max_body_size=FILE_BYTES_MAX,
    operation_class=files(takes=TYPES),
)
async def hand_in_evidence(
    request: StrictRequest, tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID]
) -> Response[CheckEvidenceView]:
    """Hand in what a check by hand rests on (PDF, JPEG or PNG): a letter, the record of a call, a photo."""
    media_type = taken(request, TYPES)
    about = claim_id, media_type, await request.body(), now
    return answered(await once(tx, CheckEvidenceView, lambda: manual.hand_in_evidence(tx, me, *about)))


@get(
    "/api/claims/{claim_id:uuid}/manual-check/evidence/{sha256:str}",
    guards=[READERS],
    operation_class=files(gives=TYPES),
)
async def show_evidence(tx: Tx, me: Me, claim_id: FromPath[UUID], sha256: FromPath[str]) -> Response[bytes]:
    """The file itself."""
    media_type, content = await seen.evidence(tx, me, claim_id, sha256)
    return private_file(content, media_type)


@post("/api/claims/{claim_id:uuid}/manual-check", guards=[REVIEWERS])
async def check_by_hand(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewManualCheck]
) -> Response[ManualCheckView]:
    """Say what the body that issued the certificate answered; above an amount another person must find the same."""
    effect = once(tx, ManualCheckView, lambda: manual.check_by_hand(tx, me, claim_id, data, today, now))
    return answered(await effect)


@get("/api/claims/{claim_id:uuid}/manual-checks", guards=[READERS])
async def list_checks(tx: Tx, me: Me, claim_id: FromPath[UUID]) -> ManualCheckList:
    """How a claim's certificate was checked by hand."""
    return await seen.list_checks(tx, me, claim_id)


@post("/api/manual-checks/{check_id:uuid}/confirm", guards=[REVIEWERS], status_code=200)
async def confirm_check(
    tx: Tx, me: Me, now: Now, once: Once, check_id: FromPath[UUID], data: JSONBody[NewSecondCheck]
) -> Response[ManualCheckView]:
    """Say, as another person, what I found; only where we say the same it is settled."""
    return answered(await once(tx, ManualCheckView, lambda: manual.confirm_check(tx, me, check_id, data, now)), 200)


@post("/api/claims/{claim_id:uuid}/approve", guards=[REVIEWERS], status_code=200)
async def approve_claim(tx: Tx, me: Me, now: Now, claim_id: FromPath[UUID], data: JSONBody[NewNote]) -> ClaimView:
    """Approve one claim of my district, whose certificate the registry or persons found."""
    return await manual.approve_claim(tx, me, claim_id, data.note, now)


ROUTES = [hand_in_evidence, show_evidence, check_by_hand, list_checks, confirm_check, approve_claim]
