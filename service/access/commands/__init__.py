"""What changes users: who they are, how they prove it, and whom they are related to."""

from service.access.commands.brakes import forget_brakes
from service.access.commands.kept_forms import forget_form, forget_forms, keep_form, put_aside
from service.access.commands.step_up import (
    confirm_factor,
    end_factor,
    enrol,
    give_sample_factors,
    prove,
    proven,
)
from service.access.commands.users import (
    OFFICERS,
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
    add_staff,
    declare_relative,
    end_relative,
    hash_password,
    is_empty,
    load_districts,
    make_user,
    must_be_me,
    must_know_district,
    sign_in,
    sign_up,
    who_is,
)

__all__ = [
    "OFFICERS",
    "PASSWORD_LENGTH_MAX",
    "PASSWORD_LENGTH_MIN",
    "add_staff",
    "confirm_factor",
    "declare_relative",
    "end_factor",
    "end_relative",
    "enrol",
    "forget_brakes",
    "forget_form",
    "forget_forms",
    "give_sample_factors",
    "hash_password",
    "is_empty",
    "keep_form",
    "load_districts",
    "make_user",
    "must_be_me",
    "must_know_district",
    "prove",
    "proven",
    "put_aside",
    "sign_in",
    "sign_up",
    "who_is",
]
