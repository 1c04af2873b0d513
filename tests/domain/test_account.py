"""Bank accounts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.account import BankAccount, card_tail
from domain.errors import Invalid
from service.local.made_up import Maker

CARD = "6222021602000004455"  # does not pass Luhn; see below for one that does
GOOD_CARD = "4111111111111111"  # the payment industry's test card
BANK = "102100099996"  # a published CNAPS code (工商银行总行清算中心)


def parse(number: object = GOOD_CARD, holder: object = "张秀梅", bank_code: object = BANK) -> BankAccount:
    return BankAccount.parse(number, holder, bank_code)


def test_an_account() -> None:
    account = parse(" 4111 1111-1111 1111\n", "张 秀梅", "１０2100099996")
    assert (account.number, account.holder.text, account.bank_code) == (GOOD_CARD, "张秀梅", BANK)
    assert account.warnings == ()


def test_the_number_shows_nowhere() -> None:
    account = parse()
    assert (account.tail, card_tail("6222021602000008812")) == ("尾号 1111", "尾号 8812")
    assert repr(account) == "BankAccount(尾号 1111, PersonName(张*梅))"
    assert GOOD_CARD not in f"{account} {[account]!r}"


def test_a_card_failing_luhn_is_a_warning() -> None:
    assert [each.code for each in parse(GOOD_CARD[:-1] + "2").warnings] == ["account.luhn"]


def test_a_bank_code_failing_its_check_digit_is_a_warning() -> None:
    assert [each.code for each in parse(bank_code="102100099997").warnings] == ["bank_code.check_digit"]


@pytest.mark.parametrize("length", [16, 17, 18, 19])
def test_lengths_of_cards(length: int) -> None:
    assert len(parse("6" * length).number) == length


@pytest.mark.parametrize(
    ("given_parts", "code", "field"),
    [
        ({"number": "6" * 15}, "account.length", "account.number"),
        ({"number": "6" * 20}, "account.length", "account.number"),
        ({"number": "6.222E+18"}, "account.characters", "account.number"),
        ({"number": "622202160200000445O"}, "account.characters", "account.number"),
        ({"number": "٦" * 16}, "account.characters", "account.number"),
        ({"number": "4111\u200b111111111111"}, "account.characters", "account.number"),
        ({"number": "4111\x00111111111111"}, "account.characters", "account.number"),
        ({"number": ""}, "account.empty", "account.number"),
        ({"number": 4111111111111111}, "account.not_text", "account.number"),
        ({"bank_code": "10210009999"}, "bank_code.length", "account.bank_code"),
        ({"bank_code": "1021000999960"}, "bank_code.length", "account.bank_code"),
        ({"bank_code": "ICBKCNBJ"}, "bank_code.characters", "account.bank_code"),
        ({"bank_code": 102100099996}, "bank_code.not_text", "account.bank_code"),
        ({"bank_code": None}, "bank_code.not_text", "account.bank_code"),
        ({"holder": ""}, "name.empty", "account.holder"),
        ({"holder": "张\x00"}, "name.characters", "account.holder"),
    ],
)
def test_what_is_no_account(given_parts: dict[str, object], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(**given_parts)
    assert (refused.value.code, refused.value.field) == (code, field)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32), st.integers(0, 18), st.integers(1, 9))
def test_one_wrong_digit_of_a_card_is_always_seen(seed: int, place: int, shift: int) -> None:
    card = Maker(seed).card()
    assert parse(card).warnings == ()
    assert not card.endswith("0000")
    other = str((int(card[place]) + shift) % 10)
    assert [each.code for each in parse(card[:place] + other + card[place + 1 :]).warnings] == ["account.luhn"]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_of_a_bank_code_is_always_seen(seed: int, place: int, shift: int) -> None:
    code = Maker(seed).bank_code()
    assert parse(bank_code=code).warnings == ()
    other = str((int(code[place]) + shift) % 10)
    wrong = parse(bank_code=code[:place] + other + code[place + 1 :])
    assert [each.code for each in wrong.warnings] == ["bank_code.check_digit"]
