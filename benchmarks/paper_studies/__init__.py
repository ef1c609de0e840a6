"""The studies of benchmarks/studies.py: what each trains, what it keeps, and how it is drawn."""
