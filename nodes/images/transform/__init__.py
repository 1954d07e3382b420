"""One picture changed: its size, its edges, its colours."""
