"""Read claims: the facts of a decision, and what people see."""
