"""Posts, and which of them exclude each other."""

from itertools import combinations
from uuid import uuid4

import pytest

from domain.actor import EXCLUSIONS, Actor, Post, Scope, excluded_with
from domain.errors import Forbidden


def _actor(*posts: Post) -> Actor:
    return Actor(uuid4(), uuid4(), frozenset(posts))


def test_a_post_that_is_not_held_is_refused_with_those_that_would_do() -> None:
    with pytest.raises(Forbidden) as refused:
        _actor(Post.TRAINEE).must_hold(Post.REVIEWER, Post.ACCEPTOR)
    assert (refused.value.code, refused.value.facts) == ("post_missing", {"posts": ["acceptor", "reviewer"]})


def test_one_of_the_posts_is_enough() -> None:
    reviewer = _actor(Post.REVIEWER, Post.TRAINEE)
    reviewer.must_hold(Post.ACCEPTOR, Post.REVIEWER)
    assert reviewer.holds(Post.TRAINEE)
    assert not reviewer.holds(Post.MAKER)
    assert not reviewer.holds()


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("post", Post)
def test_exclusion_is_mutual_and_never_of_itself(scope: Scope, post: Post) -> None:
    excluded = excluded_with(post, scope)
    assert post not in excluded
    assert all(post in excluded_with(other, scope) for other in excluded)


@pytest.mark.parametrize(("one", "other"), list(combinations((Post.MAKER, Post.CHECKER, Post.RELEASER), 2)))
def test_the_three_signatures_of_a_batch_exclude_each_other(one: Post, other: Post) -> None:
    assert other in excluded_with(one, Scope.BATCH)


@pytest.mark.parametrize("watcher", [Post.AUDITOR, Post.OPERATOR])
def test_who_watches_does_no_business(watcher: Post) -> None:
    assert excluded_with(watcher, Scope.PERSON) == frozenset(Post) - {watcher, Post.TRAINEE}


def test_whoever_works_here_may_also_be_trained() -> None:
    assert all(Post.TRAINEE not in pair for scope, *pair in EXCLUSIONS)


@pytest.mark.parametrize("reviews", [Post.REVIEWER, Post.SECOND_REVIEWER])
@pytest.mark.parametrize("money", [Post.MAKER, Post.CHECKER, Post.RELEASER])
def test_who_reviews_claims_pays_none(reviews: Post, money: Post) -> None:
    assert money in excluded_with(reviews, Scope.PERSON)


def test_four_persons_bring_a_claim_to_the_public() -> None:
    posts = {Post.ACCEPTOR, Post.REVIEWER, Post.SECOND_REVIEWER, Post.NOTICE_PUBLISHER}
    assert all(excluded_with(post, Scope.CLAIM) == posts - {post} for post in posts)
