"""Labels: the truth about requests, and what they brought, which arrive later; kept beside the prediction log."""
