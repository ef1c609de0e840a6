"""The commands: each file parses flags, calls the package and prints what comes back."""
