"""One claim from filing to payment, through HTTP, workers and stand-ins."""

from tests.flows.office import Office


def test_a_trainees_claim_is_paid(office: Office) -> None:
    trainee, made = office.trainee()
    body = office.claim_body(made, office.certificate(made))
    claim = trainee.do("/api/claims", body)
    assert claim["status"] == "filed"
    assert office.wait_until(claim["id"], "verified", "in_review") == "verified"
    approved = office.staff("reviewer").do(f"/api/claims/{claim['id']}/approve", {"note": ""})
    assert approved["status"] == "approved"
    office.publish_and_let_pass()
    office.wait_until(claim["id"], "payable")
    assert office.pay()["status"] == "settled"
    assert office.status(claim["id"]) == "paid"


def test_an_institutions_claim_is_paid_and_counts_as_the_institutions(office: Office) -> None:
    clerk = office.sign_in("clerk-a")
    made = office.maker.person()
    mandate = clerk.do(
        "/api/mandates",
        {
            "trainee": {"name": made.name, "id_number": made.id_number, "phone": made.phone},
            "signed_on": office.today,
            "valid_from": office.today,
            "valid_to": "2099-12-31",
            "document_sha256": "a" * 64,
            "fee_fen": 0,
        },
    )
    body = office.claim_body(made, office.certificate(made), mandate_id=mandate["id"], district=None)
    claim = clerk.do("/api/claims", body)
    assert claim["channel"] == "institution"
    office.wait_until(claim["id"], "verified")
    office.staff("reviewer").do("/api/claims/approve", {"status": "verified"})
    office.publish_and_let_pass()
    office.wait_until(claim["id"], "payable")
    assert office.pay()["status"] == "settled"
    assert office.status(claim["id"]) == "paid"


def test_a_certificate_the_registry_does_not_know_goes_to_a_person(office: Office) -> None:
    trainee, made = office.trainee()
    claim = trainee.do("/api/claims", office.claim_body(made, office.certificate(made, known=False)))
    office.wait_until(claim["id"], "in_review")
    refusal = {"reasons": ["certificate_not_found"], "note": ""}
    refused = office.staff("reviewer").do(f"/api/claims/{claim['id']}/refuse", refusal)
    assert refused["status"] == "refused"


def test_a_silent_registry_refuses_nobody(office: Office) -> None:
    office.tell("registry", "/control/behaviour", {"mode": "down", "until_calls": 4})
    trainee, made = office.trainee()
    claim = trainee.do("/api/claims", office.claim_body(made, office.certificate(made)))
    assert office.wait_until(claim["id"], "verified", "in_review", "refused") == "verified"


def test_a_registry_that_rests_is_asked_when_an_operator_says_that_it_is_back(office: Office) -> None:
    claims, until = office.let_the_registry_rest(seconds=25)
    assert office.outside("registry")["waiting"] > 0
    office.tell("registry", "/control/behaviour", {"mode": "well"})
    back = {"service": "registry", "reason": "登记库来电话说已恢复"}
    assert office.sign_in("operator").do("/api/operations/outside", back)["resting_until"] is None
    assert {office.wait_until(each, "verified", "in_review", "refused") for each in claims} == {"verified"}
    assert office.now < until, "nobody waited for the rest to end"
    assert office.outside("registry")["standing"] == "closed"
