"""Results kept by key: what keys are made of, where results are kept, and which are worth it."""
