"""The user's side: which function takes which event, what it is given, and what its answer becomes."""
