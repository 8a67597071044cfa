"""The Kubernetes API's types as compact data (`distil` makes it), and what the code asks of them."""
