"""Pictures as prompts (IP-Adapter, Ye et al. 2023)."""
