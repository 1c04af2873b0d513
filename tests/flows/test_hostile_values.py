"""Values that are none: ids, days, money, certificates, accounts. Refused with the field named, nothing stored."""

import json
from typing import Any
from uuid import uuid4

import pytest

from service.local.made_up import MadeUpPerson
from tests.flows.hostile import Json, refused
from tests.flows.office import PASSWORD, Person
from tests.flows.served import Served

pytestmark = pytest.mark.usefixtures("quiet")


def id_number(body: str) -> str:
    """`body` (17 digits) with its check digit, GB 11643."""
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


IDS: dict[Any, tuple[int, str]] = {
    id_number("37010219900101001")[:-1] + "?": (422, "id.characters"),
    id_number("37010219900101001").translate(str.maketrans("0123456789X", "1234567890X")): (422, "id.check_digit"),
    "370102900101001": (422, "id.fifteen_digits"),
    id_number("37010219900230001"): (422, "id.birth_date"),
    id_number("37010220990101001"): (422, "id.birth_future"),
    "4.40305E+17": (422, "id.spreadsheet_number"),
    "37010219900101\u200b0018": (422, "id.characters"),
    "٣٧٠١٠٢١٩٩٠٠١٠١٠٠١٨": (422, "id.characters"),
    "37010219900101001\u0425": (422, "id.characters"),
    "3701021990010100181": (422, "id.length"),
    "": (422, "id.empty"),
    " \t\n": (422, "id.empty"),
    370102199001010018: (400, "malformed"),
    None: (400, "malformed"),
}


@pytest.mark.parametrize("value", IDS, ids=repr)
async def test_ids_that_are_none(served: Served, good: dict[str, Json], value: Any) -> None:
    status, code = IDS[value]
    before = await served.kept()
    clerk = served.sign_in("clerk-a")
    person = {**good["/api/mandates"]["trainee"], "id_number": value}
    refused(
        clerk.post("/api/mandates", {**good["/api/mandates"], "trainee": person}), status, code, "trainee.id_number"
    )
    up = {**good["/api/sign-up"], "id_number": value}
    refused(served.http.post("/api/sign-up", json=up), status, code, "id_number")
    assert await served.kept() == before


def test_an_id_typed_otherwise_is_the_same_person(served: Served) -> None:
    made = served.maker.person()
    while not made.id_number.endswith("X"):
        made = served.maker.person()
    full_width = made.id_number.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789X"})
    typed = [made.id_number, made.id_number.lower(), full_width, f" {made.id_number}\n", f"\u3000{made.id_number}"]
    persons = set()
    for number in typed:
        body = {"login": f"t{uuid4().hex[:12]}", "password": PASSWORD, "name": made.name, "id_number": number}
        answer = served.http.post("/api/sign-up", json=body)
        assert answer.status_code == 201, answer.text
        persons.add(answer.json()["person_id"])
    assert len(persons) == 1


#: What a claim may prove beside its certificate; added to it where a value of theirs is tried.
PROOFS: dict[str, Json] = {
    "group": {"code": "graduate", "proof_kind": "diploma", "proof_number": "1057 01", "valid_from": "2026-01-01"},
    "invoice": {"number": "26372000000012345678", "amount_fen": 98_050, "payer": "王秀梅"},
}

CLAIM_VALUES: list[tuple[str, Any, int, str]] = [
    ("level", "9", 422, "level.unknown"),
    ("level", "", 422, "level.unknown"),
    ("level", 4, 400, "malformed"),
    ("list_kind", "everything", 422, "list.unknown"),
    ("district", None, 422, "district.missing"),
    ("district", "370100", 422, "district.unknown"),
    ("district", "' OR 1=1 --", 422, "district.unknown"),
    ("certificate_number", "", 422, "certificate.empty"),
    ("certificate_number", "S00003707\u0661", 422, "certificate.characters"),
    ("certificate_number", "Y" * 200, 422, "certificate.length"),
    ("certificate_number", 12345, 400, "malformed"),
    ("certificate_issued_on", "2025-02-29", 422, "date.no_such_day"),
    ("certificate_issued_on", "9999-12-31", 422, "date.out_of_range"),
    ("certificate_issued_on", "1900-02-29", 422, "date.no_such_day"),
    ("certificate_issued_on", "0000-01-01", 422, "date.out_of_range"),
    ("certificate_issued_on", "2026-1-1", 422, "date.format"),
    ("certificate_issued_on", "２０２６-01-01", 422, "date.format"),
    ("certificate_issued_on", "2026-01-01T00:00:00Z", 422, "date.format"),
    ("certificate_issued_on", 46000, 400, "malformed"),
    ("training_started_on", "2026-13-01", 422, "date.no_such_day"),
    ("mandate_id", "none", 400, "malformed"),
    ("via", "carrier pigeon", 400, "malformed"),
    ("account.number", "62220000000000a", 422, "account.characters"),
    ("account.number", "1", 422, "account.length"),
    ("account.number", 6222000000000000, 400, "malformed"),
    ("account.number", "6.222E+18", 422, "account.characters"),
    ("account.bank_code", "10245100012", 422, "bank_code.length"),
    ("account.bank_code", "１０２٤51000125", 422, "bank_code.characters"),
    ("account.holder", "", 422, "name.empty"),
    ("account.holder", "=1+1", 422, "name.no_letter"),
    ("account.holder", "王\u202e梅", 422, "name.characters"),
    ("account.holder", "王" * 500, 422, "name.too_long"),
    ("account.currency", "CNY", 400, "malformed"),
    ("group.code", "veterans", 422, "group.unknown"),
    ("group.proof_kind", "passport", 422, "group.proof_unknown"),
    ("group.proof_number", "\u3000", 422, "proof.empty"),
    ("group.proof_number", "1\u202e2", 422, "proof.characters"),
    ("group.proof_number", "1" * 10_000, 422, "proof.too_long"),
    ("group.valid_from", "2026-02-30", 422, "date.no_such_day"),
    ("group.since", "2026-02-03", 400, "malformed"),
    ("group", "graduate", 400, "malformed"),
    ("invoice.number", "12-34", 422, "invoice.characters"),
    ("invoice.number", "1" * 33, 422, "invoice.length"),
    *(("invoice.amount_fen", fen, 422, "invoice.amount") for fen in (-1, 0, 99, 2**63, 10**30)),
    *(("invoice.amount_fen", fen, 400, "malformed") for fen in ("100", 100.5, 1e3, True, None, "NaN")),
    ("invoice.payer", "=1+1", 422, "name.no_letter"),
    ("place_link", "birthplace", 400, "malformed"),
    ("insist", "yes", 400, "malformed"),
    ("amount_fen", 10**9, 400, "malformed"),
    ("status", "paid", 400, "malformed"),
]


@pytest.mark.parametrize(("place", "value", "status", "code"), CLAIM_VALUES)
async def test_claims_that_are_malformed(
    served: Served,
    trainee: tuple[Person, MadeUpPerson],
    good: dict[str, Json],
    place: str,
    value: Any,
    status: int,
    code: str,
) -> None:
    before = await served.kept()
    claim = json.loads(json.dumps(good["/api/claims"]))
    outer, _, inner = place.partition(".")
    claim |= {name: dict(proof) for name, proof in PROOFS.items() if name == outer}
    (claim[outer] if inner else claim)[inner or outer] = value
    for path in ("/api/claims/check", "/api/claims"):
        refused(trainee[0].post(path, claim), status, code, place)
    assert await served.kept() == before


NOT_ELIGIBLE: list[tuple[Json, str]] = [
    ({"item_code": "0-00-00-00"}, "item.not_in_catalog"),
    ({"item_code": "%"}, "item.not_in_catalog"),
    ({"item_code": "x" * 100_000}, "item.not_in_catalog"),
    ({"certificate_issued_on": "2099-01-01"}, "certificate.future"),
    ({"certificate_issued_on": "2019-01-01"}, "window.over"),
    ({"level": "3"}, "certificate.level_differs"),
    ({"account": {"holder": "欧阳他人"}}, "account.holder_differs"),
]


@pytest.mark.parametrize(("changed", "code"), NOT_ELIGIBLE, ids=lambda value: value if isinstance(value, str) else "")
async def test_claims_that_the_rules_refuse(
    served: Served, trainee: tuple[Person, MadeUpPerson], good: dict[str, Json], changed: Json, code: str
) -> None:
    before = await served.kept()
    claim = {**good["/api/claims"], **changed}
    claim["account"] = {**good["/api/claims"]["account"], **changed.get("account", {})}
    decision = trainee[0].post("/api/claims/check", claim)
    assert decision.status_code == 200
    outcomes = {each["code"]: each for each in decision.json()["outcomes"] if each["outcome"] == "failed"}
    assert code in outcomes
    problem = refused(trainee[0].post("/api/claims", claim), 422, "claim.ineligible")
    assert {each["code"] for each in problem["decision"]["outcomes"]} >= {code}
    assert outcomes[code]["message"] in problem["detail"]
    after = await served.kept()
    turned_away = after.pop("door_refusals") - before.pop("door_refusals")
    assert (after, turned_away) == (before, 1)


MANDATE_VALUES: list[tuple[str, Any, int, str, str]] = [
    ("signed_on", "2099-01-01", 422, "mandate.signed_in_future", "signed_on"),
    ("signed_on", "2025-02-29", 422, "date.no_such_day", "signed_on"),
    ("valid_to", "2020-01-01", 422, "period.reversed", "valid_to"),
    ("valid_to", "9999-12-31", 422, "date.out_of_range", "valid_to"),
    ("document_sha256", "A" * 64, 422, "sha256.format", "document_sha256"),
    ("document_sha256", "a" * 63, 422, "sha256.format", "document_sha256"),
    *(("fee_fen", value, 422, "mandate.fee", "fee_fen") for value in (1, -1, 2**63, 10**30)),
    *(
        ("fee_fen", value, 400, "malformed", "fee_fen")
        for value in ("0", "NaN", "1e3", "100.005", "1,000", "０", "", True, False, 0.0, 1e3, None, [0])
    ),
]


@pytest.mark.parametrize(("name", "value", "status", "code", "field"), MANDATE_VALUES)
async def test_mandates_that_are_none(
    served: Served, good: dict[str, Json], name: str, value: Any, status: int, code: str, field: str
) -> None:
    before = await served.kept()
    refused(
        served.sign_in("clerk-a").post("/api/mandates", {**good["/api/mandates"], name: value}), status, code, field
    )
    assert await served.kept() == before


SIGN_UPS: list[tuple[str, Any, int, str]] = [
    *(
        ("login", value, 422, "login.format")
        for value in ("", "  ", "a", "a\u200bbc", "管理员", "a b", "-ab", "x" * 65)
    ),
    ("login", "13800138000", 422, "text.personal_number"),
    ("login", "xuehua", 409, "user.login_taken"),
    ("login", " XUEHUA ", 409, "user.login_taken"),
    ("password", "short", 422, "password.short"),
    ("password", "x" * 2_000_000, 422, "password.long"),
    ("name", "王\u0007梅", 422, "name.characters"),
    ("name", "12345", 422, "name.no_letter"),
    ("phone", "1234", 422, "phone.format"),
    ("phone", 13800000000, 400, "malformed"),
    ("posts", ["auditor"], 400, "malformed"),
]


@pytest.mark.parametrize(("name", "value", "status", "code"), SIGN_UPS)
async def test_sign_ups_that_are_none(
    served: Served, good: dict[str, Json], name: str, value: Any, status: int, code: str
) -> None:
    before = await served.kept()
    refused(served.http.post("/api/sign-up", json={**good["/api/sign-up"], name: value}), status, code)
    assert await served.kept() == before


def test_nobody_learns_which_half_of_a_sign_in_was_wrong(served: Served) -> None:
    problems = []
    for login, password in (
        ("xuehua", "wrong"),
        ("nobody", PASSWORD),
        ("' OR 1=1", "x"),
        ("", ""),
        ("x" * 10**6, "y"),
    ):
        answer = served.http.post("/api/sign-in", json={"login": login, "password": password})
        problems.append(refused(answer, 401, "sign_in.wrong"))
    assert all(each == problems[0] for each in problems)
    for header in ("x", "", "Basic eA==", "Bearer", "Bearer \xff", "Bearer " + "x" * 5_000):
        answer = served.http.get("/api/claims", headers={"Authorization": header.encode("latin-1")})
        refused(answer, 401, "signed_out")
