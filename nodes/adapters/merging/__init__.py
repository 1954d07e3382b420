"""Models made of two."""
