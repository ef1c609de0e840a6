"""Data: raw log → dataset folder (sources, prepare) → memory-mapped arrays (interactions) → batches (pipeline)."""
