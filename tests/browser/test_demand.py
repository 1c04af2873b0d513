"""What an enterprise was paid and is asked to pay back, on a page of its own: how, by when, and how it objects."""

from datetime import date
from typing import Any

from tests.browser.town import Town

#: Of the demo's enterprise.
_CLERK = "clerk-d"


def paid_to_the_enterprise(town: Town) -> str:
    """A claim for somebody whom it hired, over HTTP, from the contract to the account."""
    office, made = town.office, town.office.maker.person()
    clerk, signed = office.sign_in(_CLERK), date.fromisoformat(office.today)
    employee = {"name": made.name, "id_number": made.id_number, "phone": made.phone}
    days = {"signed_on": office.today, "valid_from": office.today, "valid_to": f"{signed.year + 3}-01-01"}
    hired = {"employee": employee, "number": "HT-0001", "document_sha256": "a" * 64, **days}
    contract = clerk.do("/api/contracts", hired)["id"]
    body: dict[str, Any] = office.claim_body(made, office.certificate(made), account=None, contract_id=contract)
    del body["district"]
    claim = str(clerk.do("/api/claims", body)["id"])
    office.wait_until(claim, "verified")
    office.staff("reviewer").do(f"/api/claims/{claim}/approve", {"note": ""})
    office.publish_and_let_pass()
    office.wait_until(claim, "payable")
    office.pay()
    office.wait_until(claim, "paid")
    return claim


def demanded(town: Town, claim: str) -> str:
    """A part of it, after an audit; the id of the clawback."""
    office = town.office
    new = {"claim_id": claim, "cause": "audit", "note": "示例：审计发现有一段时间没有在岗", "amount_fen": 30_000}
    clawback = str(office.staff("reviewer").do("/api/clawbacks", new)["id"])
    office.staff("maker").do(f"/api/clawbacks/{clawback}/demand", {"letter_number": "济人社追〔2026〕1号"})
    return clawback


async def test_what_an_enterprise_is_to_pay_back_has_a_page_from_which_it_objects(town: Town) -> None:
    clawback = demanded(town, paid_to_the_enterprise(town))
    async with town.at(_CLERK) as clerk:
        await clerk.follow(f"/institution/demands/{clawback}")
        await clerk.sees("请退回 300 元")
        await clerk.shot("institution-demand", whole=True)
        await clerk.press("不该退，申请复核")
        await clerk.fill(reason="示例：人一直在岗，有考勤")
        await clerk.press("申请复核")
        await clerk.sees("在复核，还没有答复")
        assert clerk.path.partition("?")[0] == f"/institution/demands/{clawback}"
