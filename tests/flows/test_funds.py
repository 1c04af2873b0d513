"""A district runs out of money in the middle of its work, gets a supplement by two persons, and goes on."""

from typing import Any
from uuid import uuid4

import pytest

from service.local.stack import StackHandle
from tests.flows.hostile import refused
from tests.flows.office import Office

POOR, OTHER = "370112", "370102"
APPROPRIATIONS = "/api/funds/appropriations"


@pytest.fixture
def poor(stack: StackHandle) -> Office:
    """The district whose sample money is soon used up."""
    return Office(stack, POOR)


def money_of(office: Office, login: str) -> dict[str, Any]:
    """The employment subsidies of this year, as `login` sees them: district → position."""
    seen = office.sign_in(login).see("/api/funds")
    assert seen["year"] == int(office.today[:4])
    return {each["district"]: each for each in seen["positions"] if each["fund"] == "employment_subsidy"}


def file_through_the_institution(office: Office) -> dict[str, Any]:
    """A claim of the highest level, which costs most."""
    made, clerk = office.maker.person(), office.sign_in("clerk-b")
    mandate = {
        "trainee": {"name": made.name, "id_number": made.id_number, "phone": made.phone},
        "signed_on": office.today,
        "valid_from": office.today,
        "valid_to": "2099-12-31",
        "document_sha256": "a" * 64,
        "fee_fen": 0,
    }
    mandate_id = clerk.do("/api/mandates", mandate)["id"]
    number = office.certificate(made, level="1")
    body = office.claim_body(made, number, level="1", mandate_id=mandate_id, district=None)
    return dict(clerk.do("/api/claims", body))


def test_a_district_runs_out_of_money_and_goes_on(poor: Office) -> None:
    reviewer, maker, checker = (poor.staff(post) for post in ("reviewer", "maker", "checker"))
    free_fen = money_of(poor, f"maker-{POOR}")[POOR]["free_fen"]
    claims = [file_through_the_institution(poor)]
    amount_fen = claims[0]["amount_fen"]
    lasts_for = free_fen // amount_fen
    claims += [file_through_the_institution(poor) for _ in range(lasts_for)]
    for claim in claims:
        assert poor.wait_until(claim["id"], "verified", "in_review") == "verified"

    # the oldest are approved while the money lasts, and what stays is said
    answer = reviewer.do("/api/claims/approve", {"status": "verified"})
    # the highest level costs so much that another person looks at each once more
    assert answer == {"approved": lasts_for, "left": 1, "unfunded": 1, "second_reviews": lasts_for}
    (left,) = [claim["id"] for claim in claims if poor.status(claim["id"]) == "verified"]
    held = money_of(poor, "auditor")[POOR]
    assert held["free_fen"] == free_fen - lasts_for * amount_fen < amount_fen
    assert held["reserved_fen"] >= lasts_for * amount_fen
    assert held["days_left"] <= 1

    # alone it is refused with what is there and what is missing
    problem = refused(reviewer.post(f"/api/claims/{left}/approve", {"note": ""}), 409, "fund.insufficient")
    missing_fen = amount_fen - held["free_fen"]
    assert problem["facts"]["free_fen"] == held["free_fen"]
    assert problem["facts"]["missing_fen"] == missing_fen
    assert "就业补助资金" in problem["detail"]

    # a supplement: proposed by one, confirmed by another of the same district, once
    new = {"fund": "employment_subsidy", "year": int(poor.today[:4]), "amount_fen": missing_fen}
    body = {**new, "document": "示例追加文件", "reason": "年初安排的额度已用完"}
    proposed = maker.do(APPROPRIATIONS, body)
    assert proposed["confirmed_at"] is None
    confirm = f"{APPROPRIATIONS}/{proposed['id']}/confirm"
    refused(maker.post(confirm, {}), 403, "post_missing")
    refused(poor.sign_in(f"checker-{OTHER}").post(confirm, {}), 404, "appropriation.not_found")
    refused(reviewer.post(f"/api/claims/{left}/approve", {"note": ""}), 409, "fund.insufficient")
    key = str(uuid4())
    refused(checker.post(confirm, {}), 403, "step_up.needed")
    proof = poor.prove("checker", {"purpose": "appropriation.confirm", "subject": proposed["id"]})
    assert checker.do(confirm, {}, key, proof)["confirmed_at"]
    assert checker.post(confirm, {}, key).headers["Idempotent-Replayed"] == "true"
    refused(checker.post(confirm, {}), 409, "appropriation.confirmed")
    assert maker.see(f"{APPROPRIATIONS}?limit=1")["appropriations"][0]["id"] == proposed["id"]

    # another is proposed by mistake, and declined
    mistaken = maker.do(APPROPRIATIONS, {**body, "amount_fen": 10 * missing_fen})
    said = checker.do(f"{APPROPRIATIONS}/{mistaken['id']}/decline", {"reason": "多写了一个零"})
    assert (said["declined_for"], said["confirmed_at"]) == ("多写了一个零", None)
    refused(checker.post(f"{APPROPRIATIONS}/{mistaken['id']}/confirm", {}), 409, "appropriation.declined")

    # and goes on
    assert reviewer.do(f"/api/claims/{left}/approve", {"note": ""})["status"] == "approved"
    assert money_of(poor, f"reviewer-{POOR}")[POOR]["free_fen"] == 0

    # what is held for claims cannot be taken back
    lowered = maker.do(APPROPRIATIONS, {**body, "amount_fen": -1, "reason": "收回"})
    proof = poor.prove("checker", {"purpose": "appropriation.confirm", "subject": lowered["id"]})
    late = checker.post(f"{APPROPRIATIONS}/{lowered['id']}/confirm", {}, step_up=proof)
    problem = refused(late, 409, "appropriation.not_free")
    assert "可用的只有 0 元" in problem["detail"]


def test_each_district_sees_its_own_money(poor: Office) -> None:
    assert set(money_of(poor, f"maker-{POOR}")) == {POOR}
    assert set(money_of(poor, f"releaser-{OTHER}")) == {OTHER}
    assert set(money_of(poor, "auditor")) == {POOR, OTHER}
    proposals = poor.sign_in(f"maker-{OTHER}").see(APPROPRIATIONS)["appropriations"]
    assert {each["district"] for each in proposals} == {OTHER}
    assert all(each["document"].startswith("示例") for each in proposals)
    trainee, _ = poor.trainee()
    answer = poor.http.get("/api/funds", headers={"Authorization": f"Bearer {trainee.token}"})
    refused(answer, 403, "post_missing")


def test_claims_of_two_funds_are_paid_in_two_batches(office: Office) -> None:
    """An employee of an enterprise and somebody else: one batch each, out of the account of each fund."""
    contract = {"code": "enterprise_employee", "proof_kind": "labour_contract", "proof_number": "HT-2026-0001"}
    claims = {}
    for fund, group in (("employment_subsidy", None), ("unemployment_insurance", contract)):
        trainee, made = office.trainee()
        other = {"group": {**group, "valid_from": office.today}} if group else {}
        body = office.claim_body(made, office.certificate(made), **other)
        claims[fund] = trainee.do("/api/claims", body)["id"]
        office.wait_until(claims[fund], "verified")
        office.staff("reviewer").do(f"/api/claims/{claims[fund]}/approve", {"note": ""})
    office.publish_and_let_pass()
    for claim in claims.values():
        office.wait_until(claim, "payable")
    assert {each["fund"] for each in office.staff("maker").see("/api/batches/due")["due"]} == claims.keys()

    insured = office.pay("unemployment_insurance")
    assert (insured["fund_name"], insured["debit_account"]) == ("失业保险基金", f"失业保险基金专户-{office.district}")
    assert [office.status(claim) for claim in claims.values()] == ["payable", "paid"]
    assert office.pay()["debit_account"] == f"就业补助资金专户-{office.district}"
    assert [office.status(claim) for claim in claims.values()] == ["paid", "paid"]
    assert office.staff("maker").see("/api/batches/due")["due"] == []
