"""Small networks that change or steer large ones."""
