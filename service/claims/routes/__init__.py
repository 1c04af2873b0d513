"""Mandates, claims and rosters over HTTP."""

from service.claims.routes import claims, rosters

ROUTES = [*claims.ROUTES, *rosters.ROUTES]
