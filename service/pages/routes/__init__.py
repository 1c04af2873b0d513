"""Every page, in one place."""

from service.pages.routes import (
    catalog_desk,
    desk,
    finance,
    institution,
    institution_classes,
    person,
    public,
    session,
    standards_desk,
    trainee,
)

ROUTES = [
    route
    for each in (
        catalog_desk,
        desk,
        finance,
        institution,
        institution_classes,
        person,
        public,
        session,
        standards_desk,
        trainee,
    )
    for route in each.ROUTES
]
