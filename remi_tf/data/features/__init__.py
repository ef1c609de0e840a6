"""Features of items: what a table says of an item, as numbers that a model reads."""
