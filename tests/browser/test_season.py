"""A season as its people play it, each in a browser of their own: pages alone, but for the world outside."""

from tests.browser.town import BANK, Town, approves, files, hands_in, pays, publishes, row_of

#: The stand-in bank sends back whatever is paid to a card that ends so.
_BOUNCED = "6222021602340000"


async def share(town: Town, shot: str) -> str:
    """What a leader reads on the board: the share of claims that people file themselves."""
    async with town.at("hr-signer") as leader:
        await leader.go("/board")
        await leader.fill(month=town.office.today[:7])
        await leader.press("看", at=leader.page.locator("main form"))
        await leader.shot(shot, whole=True)
        return await leader.page.locator("dd.v.huge").inner_text()


async def test_the_season(town: Town) -> None:
    """A trainee files, is approved, published and paid; the bank returns it; the card is mended and it is paid."""
    office = town.office
    async with town.at("clerk-a") as clerk:
        await hands_in(clerk, [row_of(town, office.maker.person())])
        await clerk.sees("全部提交")
    before = await share(town, "board-before")
    made = office.maker.person()
    login = office.sign_up(made)
    async with town.at(login, wide=False) as trainee:
        claim = await files(trainee, town, office.certificate(made), _BOUNCED)
        after = await share(town, "board")
        assert float(after.rstrip("%")) > float(before.rstrip("%"))
        await approves(town, claim)
        await publishes(town)
        await trainee.sees_within("等待拨付")
        await pays(town)
        await trainee.sees_within("请改收款卡")
        await trainee.shot("claim-bounced", whole=True)
        await trainee.press("改收款卡")
        await trainee.fill(account_bank_code=BANK, account_number=office.maker.card())
        await trainee.shot("claim-card", whole=True)
        await trainee.press("改收款卡")
        await trainee.sees_within("等待拨付")
        await pays(town)
        await trainee.sees_within("已到账")
        await trainee.shot("claim-paid", whole=True)
