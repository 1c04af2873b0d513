"""Free words: what could be somebody's number is refused, everything else is let through."""

import pytest

from domain.errors import Invalid
from domain.text import must_hold_no_personal_number, public_words

FINE = [
    "",
    "材料齐全",
    "2026年3月2日补交，见 20260302 的来信",
    "证书 Y000037000000264000123 对上了",
    "付款号 JN20261204000003000001",
    "certificate_not_found 彩排",
    "第 1234567890 号",
]
PERSONAL = [
    "本人 11010519491231002X 来电",
    "身份证110105194912310021",
    "电话 13800138000",
    "138 0013 8000",
    "138-0013-8000",
    "卡号 6217 0000 1000 0000 018",
    "卡号：６２１７０００１０００００００１８",
]


@pytest.mark.parametrize("words", FINE)
def test_words_are_words(words: str) -> None:
    must_hold_no_personal_number(words, "note")


@pytest.mark.parametrize("words", PERSONAL)
def test_a_persons_number_is_refused(words: str) -> None:
    with pytest.raises(Invalid) as refused:
        must_hold_no_personal_number(words, "note")
    assert (refused.value.code, refused.value.field) == ("text.personal_number", "note")


def test_what_everybody_reads_is_words_and_nobodys_number() -> None:
    assert public_words(" 财政局文件 ", "source") == "财政局文件"
    for words, code in (("\u3000", "words.empty"), ("电话 13800138000", "text.personal_number")):
        with pytest.raises(Invalid) as refused:
            public_words(words, "source")
        assert (refused.value.code, refused.value.field) == (code, "source")
