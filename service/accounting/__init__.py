"""For finance and the treasury: the forecast and the monthly statement of funds, and the vouchers of batches."""
