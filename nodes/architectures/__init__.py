"""The networks that checkpoints hold: told by the header of a file, their settings by the shapes in it."""
