"""Serving: the graph that answers raw ids with raw ids, its signatures, and the export as a SavedModel."""
