"""Captures to try amtdecode on, and the code that builds the synthetic ones (`make.py`)."""
