"""How the work of one run is carried out: supervisor, worker, its order and its reports."""
