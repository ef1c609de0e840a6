"""Data: any raw log → columns (tables) → filters, numbering, splits (protocol) → the folder on disk (dataset)."""
