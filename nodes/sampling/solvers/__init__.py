"""One sampling algorithm per file."""
