"""The registry is silent, rests, and is back: what an officer reads on a claim, and what an operator does."""

from tests.browser.town import Town


async def test_the_registry_is_back_and_is_asked_now(town: Town) -> None:
    office = town.office
    claims, _ = office.let_the_registry_rest(seconds=25)
    async with town.staff("reviewer") as officer:
        await officer.go(f"/desk/claims/{claims[0]}")
        await officer.sees("等登记库答复")
        await officer.sees_within("以前不问")
        await officer.shot("desk-claim-waits", whole=True)
    async with town.at("operator") as operator:
        await operator.sees_within("以前不问", "/operate")
        await operator.shot("operate-outside", whole=True)
        await operator.fill(reason="登记库来电话，说已经恢复")
        office.wait_until_it_rests(20)  # or it is asked when the rest ends, is back, and the press is refused
        office.tell("registry", "/control/behaviour", {"mode": "well"})
        await operator.press("现在再问")
        await operator.sees("已去问")
    for each in claims:
        assert office.wait_until(each, "verified", "in_review", "refused") == "verified"
