"""Where each person's work begins."""

from urllib.parse import urlsplit

from domain.actor import Actor, Post

_HOMES = (
    (Post.CLERK, "/institution"),
    (Post.TRAINEE, "/me"),
    *((post, "/finance") for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)),
    (Post.FINANCE_SIGNER, "/funds/statement"),
    *((post, "/desk") for post in (Post.REVIEWER, Post.SECOND_REVIEWER)),
    (Post.NOTICE_PUBLISHER, "/desk/notices"),
    (Post.ACCEPTOR, "/desk/counter"),
    *((post, "/catalog-desk") for post in (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER)),
    *((post, "/catalog-desk/standards") for post in (Post.STANDARD_EDITOR, Post.HR_SIGNER)),
    *((post, "/board") for post in (Post.HR_SIGNER, Post.FINANCE_SIGNER)),
    (Post.AUDITOR, "/journal"),
    (Post.OPERATOR, "/operate"),
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
