*** Settings ***
Documentation     A workload of your own goes on after a restore.

Resource          ../../resources/lifecycle.resource

Suite Setup       Acquire Environment
Suite Teardown    Release Environment
Test Teardown     Remove Workload


*** Variables ***
${WORKLOADS}    ${CURDIR}    # robocop: off=VAR02


*** Test Cases ***
My Workload Goes On
    [Documentation]    The process of `my_workload.yaml` goes on where it stopped.
    Deploy Workload    my_workload
    ${before}=    ContinuityLibrary.Observe Workload    my-workload    ${RUN_NAMESPACE}    container=witness
    VAR    ${OBSERVATION}    ${before}    scope=TEST
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Workload Should Be As It Was
    Clean Up Checkpoint
