"""The keywords, a class a theme; `KubernetesLibrary` joins them. Each hands on to the plain Python beside it."""
