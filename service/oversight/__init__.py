"""Oversight of institutions (notice 二.5): credit and penalties, the yearly evaluation, complaints."""
