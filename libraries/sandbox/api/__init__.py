"""The HTTP face of an emulated cluster: routes, verbs, formats, admission."""
