"""Settings: what each one means (one file per group), which combinations work, and named sets of values."""
