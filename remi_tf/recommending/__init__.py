"""Recommending in Python: one history or many, whole logs, and the index folder."""
