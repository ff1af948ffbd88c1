"""`trainshed export`: a version as a folder that answers requests elsewhere."""
