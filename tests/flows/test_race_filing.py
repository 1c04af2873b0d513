"""Thirty-two filings of one certificate at once: one claim, and every loser is told why."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from tests.flows.office import Office, Person

FILINGS = 32


def _mandate(office: Office, clerk: Person, made: Any) -> str:
    answer = clerk.do(
        "/api/mandates",
        {
            "trainee": {"name": made.name, "id_number": made.id_number},
            "signed_on": office.today,
            "valid_from": office.today,
            "valid_to": "2099-12-31",
            "document_sha256": "b" * 64,
            "fee_fen": 0,
        },
    )
    return str(answer["id"])


async def _all_at_once(office: Office, asked: list[tuple[Person, dict[str, Any]]]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=FILINGS)
    async with httpx.AsyncClient(base_url=office.stack.address, timeout=60, limits=limits) as http:
        return await asyncio.gather(
            *(
                http.post(
                    "/api/claims",
                    json=body,
                    headers={"Authorization": f"Bearer {who.token}", "Idempotency-Key": str(uuid4())},
                )
                for who, body in asked
            )
        )


async def test_one_certificate_filed_32_times_at_once_is_one_claim(office: Office) -> None:
    trainee, made = office.trainee()
    number = office.certificate(made)
    asked: list[tuple[Person, dict[str, Any]]] = [(trainee, office.claim_body(made, number))]
    for login in ("clerk-a", "clerk-b"):
        clerk = office.sign_in(login)
        mandate_id = _mandate(office, clerk, made)
        asked.append((clerk, office.claim_body(made, number, mandate_id=mandate_id, district=None)))
    answers = await _all_at_once(office, [asked[place % 3] for place in range(FILINGS)])
    won = [each for each in answers if each.status_code == 201]
    lost = [each.json() for each in answers if each.status_code != 201]
    assert len(won) == 1, sorted(each.status_code for each in answers)
    assert {each["code"] for each in lost} <= {"claim.already_filed", "busy"}
    assert all(each["status"] == 409 and each["detail"] != each["code"] for each in lost)
    mine = trainee.see("/api/claims")["claims"]
    assert [each["id"] for each in mine] == [won[0].json()["id"]]


async def test_one_key_sent_many_times_at_once_files_once_and_answers_alike(office: Office) -> None:
    trainee, made = office.trainee()
    body, key = office.claim_body(made, office.certificate(made)), str(uuid4())
    async with httpx.AsyncClient(base_url=office.stack.address, timeout=60) as http:
        headers = {"Authorization": f"Bearer {trainee.token}", "Idempotency-Key": key}
        answers = await asyncio.gather(*(http.post("/api/claims", json=body, headers=headers) for _ in range(12)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert sum(each.headers.get("Idempotent-Replayed") == "true" for each in answers) == 11
    other = {**body, "level": "5"}
    refused = trainee.post("/api/claims", other, key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency.other_body")
