"""What oversight reads: institutions in one's district, credit, penalties, evaluations, complaints."""
