"""A page about a run: its numbers gathered, drawn and written as one HTML file."""
