"""Pictures and masks: files, size, colour, composition, batches."""
