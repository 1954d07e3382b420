"""Reading weight files: what a header tells, and networks told by it."""
