"""What is told in figures: the headline share, and what other standards would have cost."""
