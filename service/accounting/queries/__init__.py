"""Read what finance needs: `forecast`, `statement`, `vouchers`; within the asker's district (promise 15)."""
