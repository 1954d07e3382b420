"""Text encoders: from token ids to hidden states and pooled vectors, and the tokenizers that go with them."""
