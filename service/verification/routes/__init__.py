"""The queue of checks, one claim's asking, the registry's files, and checks by hand over HTTP."""

from service.verification.routes import asking, files, manual

ROUTES = [*asking.ROUTES, *files.ROUTES, *manual.ROUTES]
