"""Retrieval: interests and item table → the items to recommend (exact in graph, and by a Faiss index)."""
