"""Mandates, claims and rosters over HTTP."""

from service.claims.routes import accounts, claimants, claims, rosters

ROUTES = [*claims.ROUTES, *accounts.ROUTES, *claimants.ROUTES, *rosters.ROUTES]
