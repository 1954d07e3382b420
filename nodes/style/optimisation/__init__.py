"""Pictures that minimise a loss."""
