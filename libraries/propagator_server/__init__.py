"""A propagator of our own: Cedana's REST API in every era that is known, over a small backend interface.

The service itself is closed source; what is inferred rather than published is said where it is used.
"""
