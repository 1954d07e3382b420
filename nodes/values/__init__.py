"""Plain values: numbers, text, seeds, and lists of anything."""
