"""What oversight changes, a module for each of credit, penalties, appeals, evaluations, complaints."""
