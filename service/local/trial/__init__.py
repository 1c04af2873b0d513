"""A made-up city with honest and dishonest institutions, to see what the risk signals find."""
