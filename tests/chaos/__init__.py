"""Many lifecycles while calls fail: nothing is done twice, nothing is judged wrong, nothing waits for ever."""
