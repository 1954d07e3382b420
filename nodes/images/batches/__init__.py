"""Pictures put together into batches and taken out of them."""
