*** Settings ***
Documentation     A restored pod has the resources that it had: its memory with all that was in it, its limits in force,
...               and its claim to room on a node, without which it waits and says so.

Resource          ../resources/resources.resource

Suite Setup       Acquire Environment Beside A Control Arm    witness
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload And Its Room

Test Tags         e2e    k3s    propagator    checkpoint    restore    resources    test:retry(1)


*** Test Cases ***
A Process Keeps The Content Of Its Memory And Its Limits
    [Documentation]    All that the process holds in memory is there after the restore; and when it takes more than its
    ...    limit it is killed, as the original would have been.
    Deploy Workload    memory
    ${before}=    Observe Workload And Its Memory
    Checkpoint Workload
    Note Last Count Of Memory
    Delete Workload
    Restore Workload
    Workload Should Have Continued As It Was    ${before}
    Memory Should Have Its Content
    Memory Limit Should Be In Force
    Clean Up Checkpoint

A Restored Pod Waits For Room And Goes On
    [Documentation]    Where no node has what the pod asks for, the restored pod is Pending and says clearly why; its
    ...    process goes on once there is room.
    [Tags]    changes-nodes
    Deploy Workload Where Room Is For One Only    slot
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Let Another Pod Take The Room
    Restored Workload Should Wait For Room
    Make Room
    Restored Workload Should Get Its Room
    Workload Should Have Continued As It Was    ${before}
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm with the same witness, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
