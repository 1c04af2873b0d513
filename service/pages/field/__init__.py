"""Pages of those who go and look at institutions, decide on them, and score them."""
