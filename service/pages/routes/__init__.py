"""Every page, in one place."""

from service.pages.routes import (
    catalog_desk,
    desk,
    finance,
    information,
    institution,
    institution_classes,
    notices,
    person,
    public,
    registry,
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
        information,
        institution,
        institution_classes,
        notices,
        person,
        public,
        registry,
        session,
        standards_desk,
        trainee,
    )
    for route in each.ROUTES
]
