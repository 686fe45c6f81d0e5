"""The rules: each file asks one kind of question, NAME.py; what its rules say stands beside it, NAME.toml."""
