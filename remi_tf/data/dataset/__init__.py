"""The dataset folder on disk: interactions, vocabulary, profiles, and views of them (histories, targets)."""
