"""Style transfer and texture synthesis: losses as values, and pictures that minimise them."""
