"""Making and changing latents."""
