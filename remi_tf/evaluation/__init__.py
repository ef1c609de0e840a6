"""Evaluation over the whole catalogue: metrics per user, and what the interests do."""
