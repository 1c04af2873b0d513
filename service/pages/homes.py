"""Where each person's work begins."""

from urllib.parse import urlsplit

from domain.actor import Actor, Post

_HOMES = (
    (Post.TRAINEE, "/me"),
    *((post, "/finance") for post in (Post.MAKER, Post.CHECKER, Post.RELEASER, Post.AUDITOR)),
    (Post.FINANCE_SIGNER, "/funds/statement"),
    (Post.INSTITUTION_OFFICER, "/desk/classes"),
    (Post.INSPECTOR, "/patrols"),
    (Post.ASSESSOR, "/desk/selections"),
    (Post.EVALUATOR, "/desk/evaluations"),
)
_ADDRESS_LENGTH_MAX = 300


def of(me: Actor | None) -> str:
    """The first page of whoever is signed in; the form where nobody is."""
    if me is None:
        return "/sign-in"
    return next((address for post, address in _HOMES if me.holds(post)), "/")


def local(address: str) -> str:
    """An address of this service as it was asked for; empty for any other, so that no form leads elsewhere."""
    parts = urlsplit(address[:_ADDRESS_LENGTH_MAX].replace("\\", "/"))
    fits = not parts.scheme and not parts.netloc and parts.path.startswith("/") and not parts.path.startswith("//")
    return parts._replace(fragment="").geturl() if fits and address.isprintable() else ""
