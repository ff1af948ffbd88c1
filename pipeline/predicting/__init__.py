"""`batch-predict:NAME`: what a version says about every row of a dataset, as a dataset."""
