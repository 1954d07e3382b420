"""The mechanism taken apart: noise in, one prediction, one step."""
