"""What can go wrong, on demand: a catalogue of faults, each declared with what is expected of a good test suite.

`catalogue.CATALOGUE` has them by name; `engine.Faults` switches them on and off in a running sandbox.
"""
