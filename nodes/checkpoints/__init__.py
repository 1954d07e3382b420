"""Loading checkpoints as recipes: what a folder holds is read from its configs, never from its weights."""
