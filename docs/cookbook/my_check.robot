*** Settings ***
Documentation     A check of your own, after the one that the process went on.

Resource          ../../resources/lifecycle.resource
Library           MyChecks.py

Suite Setup       Acquire Environment
Suite Teardown    Release Environment
Test Teardown     Remove Workload


*** Test Cases ***
My Workload Is Back Soon
    [Documentation]    The process goes on, and was away for half a minute at most.
    Deploy Workload    nginx
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    ${verdicts}=    Get Verdicts
    Downtime Should Be Below    ${verdicts}    30 s
    Clean Up Checkpoint

A Check That Cannot Fail Is None
    [Documentation]    Give your check something that it has to refuse, too.
    VAR    &{slow}    downtime_seconds=${31.0}
    VAR    @{verdicts}    ${slow}
    Run Keyword And Expect Error    *it was away for 31.00 s*Cause: restore-timeout*
    ...    Downtime Should Be Below    ${verdicts}    30 s
