"""The application as one object for all tests of a process: building it takes a second, and it keeps no state."""

from functools import cache

from litestar import Litestar

from service.app import create_app


@cache
def the_app() -> Litestar:
    return create_app()
