*** Settings ***
Documentation     An environment to try keywords in, one line after the other: `docs/by_hand.md` has ten to begin with.
...               `exit` or Ctrl-D leads to the end, which removes everything.

Library           Shell.py
Resource          ../resources/lifecycle.resource

Suite Setup       Acquire Environment
Suite Teardown    Release Environment
Test Teardown     Remove Workload


*** Test Cases ***
Try Keywords By Hand
    [Documentation]    A prompt, where `exit` ends it.
    Debug
