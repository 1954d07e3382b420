"""Pictures from the generators of generative adversarial networks."""
