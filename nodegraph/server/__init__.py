"""The server: jobs over HTTP, run in child processes."""
