"""Institutions over HTTP."""

from service.institutions.routes import registry, selection

ROUTES = [*registry.ROUTES, *selection.ROUTES]
