"""Networks that are not computed anew in all their depth at every step."""
