"""Models that are counted from the log instead of trained: a history in, a score for every item out."""
