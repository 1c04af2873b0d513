"""Who acts: a person behind a user, with posts, inside a district or an institution."""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from uuid import UUID

from domain.errors import Forbidden


class Post(StrEnum):
    """Posts on a claim's way (财社〔2023〕181号 第二十五条 keeps several apart)."""

    TRAINEE = "trainee"
    CLERK = "clerk"
    ACCEPTOR = "acceptor"
    REVIEWER = "reviewer"
    SECOND_REVIEWER = "second_reviewer"  # 复核: looks again at what was drawn, is large, or was checked by hand
    NOTICE_PUBLISHER = "notice_publisher"
    MAKER = "maker"
    CHECKER = "checker"
    RELEASER = "releaser"
    CATALOG_EDITOR = "catalog_editor"
    CATALOG_PUBLISHER = "catalog_publisher"
    STANDARD_EDITOR = "standard_editor"
    HR_SIGNER = "hr_signer"
    FINANCE_SIGNER = "finance_signer"
    INSTITUTION_OFFICER = "institution_officer"  # admits institutions, approves classes, sanctions
    ASSESSOR = "assessor"  # scores applications in a selection round
    INSPECTOR = "inspector"  # on site or online, before a first class and during classes
    EVALUATOR = "evaluator"  # of the third party that evaluates a year
    AUDITOR = "auditor"
    OPERATOR = "operator"


class Scope(StrEnum):
    """On what two posts exclude each other: on being held by one person, on one claim, on one batch."""

    PERSON = "person"
    CLAIM = "claim"
    BATCH = "batch"


_BUSINESS = frozenset(Post) - {Post.AUDITOR, Post.OPERATOR}
_REVIEWS = (Post.REVIEWER, Post.SECOND_REVIEWER)
#: Each sees a claim with other eyes than the one before.
_ON_A_CLAIM = (Post.ACCEPTOR, *_REVIEWS, Post.NOTICE_PUBLISHER)

#: (scope, post, other): loaded into the table `post_exclusions` by a migration; a test compares.
EXCLUSIONS: frozenset[tuple[Scope, Post, Post]] = frozenset(
    {(Scope.PERSON, Post.AUDITOR, other) for other in _BUSINESS - {Post.TRAINEE}}
    | {(Scope.PERSON, Post.OPERATOR, other) for other in _BUSINESS - {Post.TRAINEE}}
    | {(Scope.PERSON, Post.AUDITOR, Post.OPERATOR)}
    | {(Scope.PERSON, Post.CLERK, other) for other in _BUSINESS - {Post.TRAINEE, Post.CLERK}}
    | {(Scope.PERSON, post, other) for post in _REVIEWS for other in (Post.MAKER, Post.CHECKER, Post.RELEASER)}
    | {(Scope.PERSON, Post.RELEASER, other) for other in (Post.MAKER, Post.CHECKER)}
    | {(Scope.PERSON, Post.EVALUATOR, other) for other in (Post.INSTITUTION_OFFICER, Post.INSPECTOR)}
    | {(Scope.PERSON, Post.ASSESSOR, Post.INSTITUTION_OFFICER)}
    | {(Scope.PERSON, Post.FINANCE_SIGNER, other) for other in (Post.STANDARD_EDITOR, Post.HR_SIGNER)}
    | {(Scope.CLAIM, *pair) for pair in combinations(_ON_A_CLAIM, 2)}
    | {
        (Scope.BATCH, Post.MAKER, Post.CHECKER),
        (Scope.BATCH, Post.MAKER, Post.RELEASER),
        (Scope.BATCH, Post.CHECKER, Post.RELEASER),
    }
)


def excluded_with(post: Post, scope: Scope) -> frozenset[Post]:
    """Posts that whoever acts as `post` must not have acted as, within `scope`."""
    return frozenset(
        (other if mine == post else mine)
        for where, mine, other in EXCLUSIONS
        if where == scope and post in (mine, other)
    )


@dataclass(frozen=True)
class StepUp:
    """By what somebody says to have proved anew who they are: SHA-256 of the session's and the step-up's token."""

    session: bytes
    token: bytes


@dataclass(frozen=True)
class Actor:
    """The one who asks. `district` is the code of the district they work for; None: the whole city.

    `step_up` came with this request, for what it signs; whether it holds is looked up when signing.
    """

    user_id: UUID
    person_id: UUID
    posts: frozenset[Post]
    district: str | None = None
    institution_id: UUID | None = None
    step_up: StepUp | None = field(default=None, compare=False, repr=False)

    def holds(self, *posts: Post) -> bool:
        return bool(self.posts.intersection(posts))

    def must_serve_the_city(self) -> None:
        """Forbidden `city_only` for whoever works for one district."""
        if self.district is not None:
            raise Forbidden("city_only")

    def must_hold(self, *posts: Post) -> None:
        """Forbidden `post_missing` unless the actor holds one of `posts`."""
        if not self.holds(*posts):
            raise Forbidden("post_missing", posts=sorted(posts))
