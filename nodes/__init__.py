"""The built-in nodes, discovered as any third-party pack is."""
