"""A search for settings on validation users."""
