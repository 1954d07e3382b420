"""The durable queue, its history, tokens and webhooks: one SQLite file, no torch."""
