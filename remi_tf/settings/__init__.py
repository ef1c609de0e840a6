"""Settings: what each one means (one file a group), which combinations work, and the sets of values with a name."""
