"""What can go wrong, on demand: a catalogue of faults, each declared with what is expected of a good test suite.

`python -m sandbox --list-faults` prints it. A fault is switched on by `--fault NAME[:key=value...]` at the start, or by
`POST {admin_url}/faults {"name": ..., "parameters": {...}}`, and off by `DELETE {admin_url}/faults[/id]`;
`GET {admin_url}/faults` tells how often each has struck. Limits (where they make sense): `count`, `each` (so often for
each kind of request), `probability` with `seed`, `namespace`, `pod`, and `phase` (before, during or after a checkpoint
or restore, counted from the moment at which the fault was switched on).

A fault is declared beside its injection, in a module of its kind:

    tolerated("propagator-slow", "Every answer takes a second longer.", seconds=1.0)(propagator(slow))

`tolerated` or `fails(<cause>, ...)` say what a good suite does; what is given besides is a parameter with its default,
or a limit that holds unless another one is given. The injection is an async function of the scene (what there is to
take hold of: gates of the servers, the work of the propagator's backend, points in the emulated cluster) and of the
activation (its parameters, whether it strikes now, and a stack for what is to be undone at its end).
"""
