"""The papers' protocol: which rows are kept, how items are numbered, how users are split; ComiRec's own files."""
