"""Low-rank changes of weights: LoRA, LoHa and LoKr."""
