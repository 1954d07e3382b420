"""Several prompts as one, and prompts for a part of the picture or of the run."""
