"""The effects of Cedana in an emulated cluster: what its chart's pods would do there."""
