"""Who someone is: national id, name, mobile phone; and an organisation's credit code."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Self

from stdnum import numdb
from stdnum.iso7064 import mod_11_2

from domain.errors import Invalid
from domain.remark import Remark
from domain.text import half_width, is_no_text, must_consist_of, trimmed

_DIGITS = "0123456789"
_SPREADSHEET_NUMBER = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+?[0-9]{1,2}")
_FIRST_BIRTH_YEAR = 1900
# Residence permits of Hong Kong, Macao and Taiwan residents (国办发〔2018〕81号).
_PERMIT_PLACES = frozenset({"810000", "820000", "830000"})


@lru_cache(maxsize=4096)
def is_known_place(place: str) -> bool:
    """Whether a six-digit place was ever in use.

    The years in python-stdnum's table are ignored on purpose: people keep the number that they were given, and
    their places were renumbered later (its own `cn.ric` refuses most of Jinan for that reason).
    """
    if place in _PERMIT_PLACES:
        return True
    return any("county" in facts for _, facts in numdb.get("cn/loc").info(place))


@dataclass(frozen=True, repr=False)
class NationalId:
    """A citizen's or permit holder's number, GB 11643: place 6, birth 8, sequence 3, check 1.

    The constructor trusts its argument (it is for numbers read back from the store); `parse` trusts nothing.
    """

    number: str

    @classmethod
    def parse(cls, text: object, *, field: str = "id_number", today: date) -> Self:
        """The number in its one form; blanks around it, full-width digits and a small x are normalised.

        Raises Invalid `id.not_text`, `id.empty`, `id.spreadsheet_number`, `id.characters` (place),
        `id.fifteen_digits`, `id.length` (length), `id.check_digit`, `id.birth_date` or `id.birth_future`.
        """
        typed = half_width(trimmed(text, field, "id"))
        if _SPREADSHEET_NUMBER.fullmatch(typed):
            # The digits are gone: the person must type the number again.
            raise Invalid("id.spreadsheet_number", field)
        must_consist_of(typed[:-1], _DIGITS, field, "id")
        if typed[-1] not in "0123456789xX":
            raise Invalid("id.characters", field, place=len(typed))
        number = typed.upper()
        if len(number) == 15:
            raise Invalid("id.fifteen_digits", field)
        if len(number) != 18:
            raise Invalid("id.length", field, length=len(number))
        if not mod_11_2.is_valid(number):
            raise Invalid("id.check_digit", field)
        _check_birth(number[6:14], field, today)
        return cls(number)

    @property
    def place(self) -> str:
        """Six digits of GB/T 2260, of the place where the number was given."""
        return self.number[:6]

    @property
    def birth_date(self) -> date:
        return _day(self.number[6:14])

    @property
    def sex(self) -> str:
        """`male` or `female`: the parity of the last place of the sequence."""
        return "male" if int(self.number[16]) % 2 else "female"

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """`id.place_unknown` when no table knows the place; never a refusal."""
        return () if is_known_place(self.place) else (Remark("id.place_unknown", {"place": self.place}),)

    def masked(self) -> str:
        """370102********123X: the birth digits hidden, as in public notices."""
        return f"{self.number[:6]}********{self.number[14:]}"

    def __repr__(self) -> str:
        return f"NationalId({self.masked()})"


def _day(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def _check_birth(digits: str, field: str, today: date) -> None:
    try:
        birth = _day(digits)
    except ValueError:
        raise Invalid("id.birth_date", field) from None
    if birth.year < _FIRST_BIRTH_YEAR:
        raise Invalid("id.birth_date", field)
    if birth > today:
        raise Invalid("id.birth_future", field)


NAME_LENGTH_MAX = 60
_DOTS = str.maketrans(dict.fromkeys("・･•‧∙⋅᛫⸱", "·"))
# Han, with the blocks Python's tables do not know yet and the private area older systems put rare surnames in.
_HAN = r"〇\u3400-\u4dbf\u4e00-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0003ffff"
_DOT_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}])[.．](?=[{_HAN}])")
_HAN_NAME = re.compile(rf"[{_HAN}·\s]+")
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Co", "Cn"})
# An uncommon one that is missing is masked like a single one, which hides no less.
_COMPOUND_SURNAMES = re.compile(
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|司空|夏侯|长孙|宇文|轩辕|端木|南宫|独孤|申屠|"
    "淳于|单于|太史|闻人|澹台|公冶|宗政|濮阳|呼延|万俟|钟离|闾丘|东郭|西门|百里|拓跋|第五|欧陽|諸葛"
)


@dataclass(frozen=True, repr=False)
class PersonName:
    """A name as it is stored: NFC, one kind of middle dot, no blanks inside a Chinese name."""

    text: str

    @classmethod
    def parse(cls, text: object, *, field: str = "name") -> Self:
        """Raises Invalid `name.not_text`, `name.empty`, `name.characters` (place), `name.no_letter` or
        `name.too_long` (limit)."""
        typed = trimmed(text, field, "name")
        if not typed.isprintable() or "\ufffd" in typed:  # printable is text, but not all text is printable
            for place, character in enumerate(typed, start=1):
                if is_no_text(character):
                    raise Invalid("name.characters", field, place=place)
        name = _one_form(typed)
        if len(name) > NAME_LENGTH_MAX:
            raise Invalid("name.too_long", field, limit=NAME_LENGTH_MAX)
        if not any(unicodedata.category(character) in _LETTERS for character in name):
            raise Invalid("name.no_letter", field)
        return cls(name)

    def masked(self) -> str:
        return mask_name(self.text)

    def __repr__(self) -> str:
        return f"PersonName({self.masked()})"


def _one_form(typed: str) -> str:
    name = unicodedata.normalize("NFC", typed).translate(_DOTS)
    name = _DOT_BETWEEN_HAN.sub("·", name)
    return "".join(name.split()) if _HAN_NAME.fullmatch(name) else " ".join(name.split())


def same_name(one: str, other: str) -> bool:
    """Whether two names read the same: width, case, blanks, kinds of dot and glyph variants aside."""
    return one == other or _comparable(one) == _comparable(other)


def _comparable(name: str) -> str:
    folded = unicodedata.normalize("NFKC", _one_form(name)).casefold()
    return _VARIATION_SELECTORS.sub("", _one_form(folded))


def mask_name(name: str) -> str:
    """王*, 张*梅, 欧阳*华, 阿*·买*: for lists that staff read."""
    if "·" in name or " " in name:
        return re.sub(r"([^· ])[^· ]*", r"\1*", name)
    if len(name) < 2:
        return "*"
    surname = name[:2] if len(name) > 2 and _COMPOUND_SURNAMES.match(name) else name[:1]
    given = name[len(surname) :]
    return f"{surname}*{given[-1] if len(given) > 1 else ''}"


_MOBILE = re.compile(r"(?:\+86)?(1[3-9][0-9]{9})")


@dataclass(frozen=True, repr=False)
class Phone:
    """A mobile number of the mainland, eleven digits."""

    number: str

    @classmethod
    def parse(cls, text: object, *, field: str = "phone") -> Self:
        """Blanks, hyphens and +86 are dropped. Raises Invalid `phone.not_text`, `phone.empty`, `phone.format`."""
        typed = re.sub(r"[ -]", "", half_width(trimmed(text, field, "phone")))
        mobile = _MOBILE.fullmatch(typed)
        if mobile is None:
            raise Invalid("phone.format", field)
        return cls(mobile[1])

    def masked(self) -> str:
        return f"{self.number[:3]}****{self.number[7:]}"

    def __repr__(self) -> str:
        return f"Phone({self.masked()})"


# GB 32100: digits and letters without I, O, S, V, Z.
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True)
class CreditCode:
    """An organisation's unified social credit code, GB 32100; public, so never masked."""

    code: str

    @classmethod
    def parse(cls, text: object, *, field: str = "credit_code") -> Self:
        """Raises Invalid `credit_code.not_text`, `credit_code.empty`, `credit_code.characters` (place),
        `credit_code.length` (length) or `credit_code.check_digit`."""
        typed = half_width(trimmed(text, field, "credit_code"))
        must_consist_of(typed, _CREDIT_ALPHABET + _CREDIT_ALPHABET.lower(), field, "credit_code")
        if len(typed) != 18:
            raise Invalid("credit_code.length", field, length=len(typed))
        code = typed.upper()
        # Places 3 to 8 are the district of registration; the two before them may be letters.
        if not code[2:8].isdigit():
            raise Invalid("credit_code.characters", field, place=next(i for i in range(3, 9) if code[i - 1] > "9"))
        if code[-1] != _credit_check(code[:-1]):
            raise Invalid("credit_code.check_digit", field)
        return cls(code)


def _credit_check(body: str) -> str:
    weighted = sum(_CREDIT_ALPHABET.index(each) * pow(3, i, 31) for i, each in enumerate(body))
    return _CREDIT_ALPHABET[-weighted % 31]
