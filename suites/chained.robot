*** Settings ***
Documentation     A process goes on through one checkpoint and restore after the other, and stays the same process: what
...               was restored can be checkpointed again, and the nonce that it drew at its start is never lost.

Resource          ../resources/chained.resource

Suite Setup       Acquire Environment Beside A Control Arm    witness
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    chained    test:retry(1)


*** Test Cases ***
A Restored Process Is Checkpointed And Restored Again
    [Documentation]    The second restore goes on where the second checkpoint was, not the first.
    Deploy Workload    witness
    ${first}=    Observe Workload
    Take Workload Through Checkpoint And Restore
    Workload Should Have Continued    ${first}
    ${second}=    Go On With The Restored Workload    ${first}
    Take Workload Through Checkpoint And Restore
    Workload Should Have Continued    ${second}
    Process Should Be The First One    ${first}
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same witness, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
