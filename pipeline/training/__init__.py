"""`train:MODEL`: the loop, what it needs, and the flow from training set to version."""
