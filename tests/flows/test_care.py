"""What goes wrong with a claim, through HTTP, workers and stand-ins: it is mended, and paid once."""

from typing import Any

import pytest

from tests.flows.office import Office, Person, wait_for


def to_payable(office: Office, **other: Any) -> tuple[Person, Any, dict[str, Any]]:
    """A trainee's claim that waits for its money."""
    trainee, made = office.trainee()
    claim = trainee.do("/api/claims", {**office.claim_body(made, office.certificate(made)), **other})
    office.wait_until(claim["id"], "verified")
    office.staff("reviewer").do(f"/api/claims/{claim['id']}/approve", {"note": ""})
    office.publish_and_let_pass()
    office.wait_until(claim["id"], "payable")
    return trainee, made, claim


def lines_of(office: Office, batch: dict[str, Any]) -> list[dict[str, Any]]:
    lines = office.staff("maker").see(f"/api/batches/{batch['id']}/lines")["lines"]
    return list(lines)


def test_a_bounced_claim_is_mended_and_paid_once_under_a_new_reference(office: Office) -> None:
    """The bank fails every account that ends in 0000; the trainee names another."""
    trainee, made = office.trainee()
    body = office.claim_body(made, office.certificate(made))
    body["account"]["number"] = "6222021602340000"
    claim = trainee.do("/api/claims", body)
    path = f"/api/claims/{claim['id']}"
    office.wait_until(claim["id"], "verified")
    office.staff("reviewer").do(f"{path}/approve", {"note": ""})
    office.publish_and_let_pass()
    office.wait_until(claim["id"], "payable")
    first = office.pay()
    assert office.status(claim["id"]) == "bounced"
    failed = next(line for line in lines_of(office, first) if line["account_tail"] == "0000")
    assert (failed["status"], failed["failure"]) == ("failed", "failed:permanent")
    seen = trainee.see(path)["to_do"]
    assert (seen["code"], seen["why"]) == ("to_do.new_account", "账户用不了，要改收款卡")

    key = "mend-once"
    mended = trainee.do(f"{path}/account", {"account": {**body["account"], "number": office.maker.card()}}, key)
    assert (mended["status"], mended["to_do"]) == ("payable", None)
    again = trainee.post(f"{path}/account", {"account": {**body["account"], "number": office.maker.card()}})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")
    second = office.pay()
    assert office.status(claim["id"]) == "paid"
    paid = next(line for line in lines_of(office, second) if line["account_tail"] == mended["account_tail"])
    assert (paid["status"], paid["reference"] != failed["reference"]) == ("done", True)
    ledger = office.ledger()
    assert failed["reference"] not in ledger
    assert (ledger[paid["reference"]]["times"], ledger[paid["reference"]]["amount_fen"]) == (1, claim["amount_fen"])


def test_a_claim_is_sent_back_corrected_and_verified_again(office: Office) -> None:
    trainee, made = office.trainee()
    claim = trainee.do("/api/claims", office.claim_body(made, office.certificate(made, known=False)))
    path = f"/api/claims/{claim['id']}"
    office.wait_until(claim["id"], "in_review")
    fault = {"code": "certificate_differs", "field": "certificate_number", "note": "请对照证书"}
    office.staff("reviewer").do(f"{path}/send-back", {"faults": [fault]})
    seen = trainee.see(path)["to_do"]
    assert (seen["code"], seen["faults"][0]["message"]) == ("to_do.correct", "证书编号和登记的不一致")
    refused = trainee.post(f"{path}/correct", {"level": "5"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "level")
    mended = trainee.do(f"{path}/correct", {"certificate_number": office.certificate(made)})
    assert mended["status"] in {"filed", "verified"}
    assert office.wait_until(claim["id"], "verified", "in_review") == "verified"


def test_a_claim_that_nobody_corrects_lapses_and_is_filed_anew(office: Office) -> None:
    trainee, made = office.trainee()
    body = office.claim_body(made, office.certificate(made, known=False))
    claim = trainee.do("/api/claims", body)
    office.wait_until(claim["id"], "in_review")
    fault = {"code": "other", "field": "account", "note": ""}
    sent_back = office.staff("reviewer").do(f"/api/claims/{claim['id']}/send-back", {"faults": [fault]})
    while office.today <= sent_back["to_do"]["due_on"]:
        assert office.http.post("/api/demo/clock", json={"days": 1}).status_code == 201
    wait_for("the sweep", lambda: office.status(claim["id"]) == "lapsed")
    assert trainee.do("/api/claims", body)["status"] == "filed"


def test_a_held_claim_leaves_its_batch_and_the_others_are_paid(office: Office) -> None:
    (mine, _, held), (_, _, other) = to_payable(office), to_payable(office)
    batch = office.staff("maker").do("/api/batches", {"fund": "employment_subsidy", "filter": {}})
    office.wait_for_batch(batch["id"], "frozen")
    checker = office.staff("checker")
    said = checker.do(f"/api/claims/{held['id']}/hold", {"code": "complaint", "note": "来电"})
    assert said["dissolved"]["batch_id"] == batch["id"]
    assert said["dissolved"]["others"] >= 1
    assert office.pay()["status"] == "settled"
    assert (office.status(held["id"]), office.status(other["id"])) == ("payable", "paid")
    late = checker.post(f"/api/claims/{other['id']}/hold", {"code": "complaint"})
    assert (late.status_code, late.json()["code"]) == (409, "claim.past_no_return")
    assert "追回" in late.json()["detail"]
    checker.do(f"/api/claims/{held['id']}/lift", {"note": "已核实"})
    assert mine.do(f"/api/claims/{held['id']}/withdraw", {"note": ""})["status"] == "withdrawn"


@pytest.mark.parametrize("post", ["checker", "releaser"])
def test_a_batch_is_rejected_and_its_maker_sees_why(office: Office, post: str) -> None:
    _, _, claim = to_payable(office)
    maker = office.staff("maker")
    batch = maker.do("/api/batches", {"fund": "employment_subsidy", "filter": {}})
    frozen = office.wait_for_batch(batch["id"], "frozen")
    shown = {name: frozen[name] for name in ("content_hash", "line_count", "sum_fen")}
    office.sign("maker", "submit", batch["id"], shown)
    office.staff(post).do(f"/api/batches/{batch['id']}/reject", {"code": "payee_doubtful", "note": "户名"})
    seen = maker.see(f"/api/batches/{batch['id']}")["given_up"]
    assert (seen["action"], seen["by"], seen["reason"]) == ("reject", post, "payee_doubtful 户名")
    assert office.status(claim["id"]) == "payable"
    assert office.pay()["status"] == "settled"
