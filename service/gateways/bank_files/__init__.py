"""Files that go to banks and come back: one module a form, all behind `form.Form` (docs/banks.md adds one)."""

from collections.abc import Mapping

from domain.agent_bank import BankFormat
from domain.errors import Invalid
from service.gateways.bank_files import agent_gbk, iso20022, neutral
from service.gateways.bank_files.form import BankFileHeader, Form, ReturnFile, ReturnLine, Writer, holds, write

__all__ = [
    "FORMS",
    "BankFileHeader",
    "Form",
    "ReturnFile",
    "ReturnLine",
    "Writer",
    "holds",
    "read_return",
    "write",
]

_ALL: tuple[Form, ...] = (neutral, agent_gbk, iso20022)

FORMS: Mapping[BankFormat, Form] = {each.FORMAT: each for each in _ALL}


def read_return(data: bytes, form: BankFormat | None = None) -> ReturnFile:
    """A return of `form`, or of the form that its beginning shows; Invalid as the form's `read_return` says.

    `return.other_form` (expected, found) for a return that is plainly of another form than was asked for.
    """
    found = next((name for name, each in FORMS.items() if each.recognises(data)), None)
    if form is not None and found not in (None, form):
        raise Invalid("return.other_form", "file", expected=str(form), found=str(found))
    return FORMS[form or found or BankFormat.NEUTRAL].read_return(data)
