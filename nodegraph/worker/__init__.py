"""Running jobs in a process of their own, which may crash or hang without harm to the server."""
