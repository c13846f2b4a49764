"""One file per page: its panels, and what each of them asks."""
