"""The use cases: who may do what, what is run, what is kept."""
