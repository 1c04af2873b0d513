"""The queue of checks, the registry's files, and checks by hand over HTTP."""

from service.verification.routes import files, manual

ROUTES = [*files.ROUTES, *manual.ROUTES]
