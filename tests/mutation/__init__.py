"""The other way round: the code that judges and waits is spoiled, a little at a time, and some test must notice.

Why not mutmut or cosmic-ray: mutmut 3 takes a module's name from its path, so that it finds no test for `libraries/`,
and leaves out decorated functions, which properties and keywords are; cosmic-ray starts a test run of its own for each
mutant, some two seconds of imports before the first test. Here the tests are collected once; a child is forked for each
mutant, puts it into the imported modules, and runs only the tests that come by the spoiled line, the quickest first.
"""
