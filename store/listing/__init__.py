"""Long lists by position: row 500,000 of a million costs what the first one costs.

fields.py    what a list can be filtered and sorted by, and which index leads there
terms.py     a filter's terms as SQL
pick.py      filter, order and position → the ids of the rows, from the nearer end of an index
runs.py      the list of runs        events.py    the history
"""
