"""Networks whose layers describe pictures."""
