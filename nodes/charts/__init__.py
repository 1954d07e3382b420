"""Numbers to look at: curves, histograms and tables."""
