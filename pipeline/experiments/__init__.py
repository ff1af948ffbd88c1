"""Comparisons of arms on live traffic: statistics that may be looked at any time, and the decisions that follow."""
