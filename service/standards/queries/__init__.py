"""What is asked about standards: amounts on a day, sets, formulas, and what somebody will get."""
