"""Any raw file → columns in memory, bad rows named by file and line: readers, item and user tables, named sources."""
