"""`python -m service.cli`: the `zhida` command without its script."""

from service.cli import main

main()
