"""What each hot path costs, beside a ceiling that was taken in the same minutes: `python -m bench`.

Speeds of machines drift; a ratio to what the same machine does meanwhile with the bare statements holds.
"""
