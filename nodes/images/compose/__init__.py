"""Several pictures made into one."""
