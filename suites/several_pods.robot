*** Settings ***
Documentation     Many pods are checkpointed and restored at once, and each of them goes on for itself: none is
...               forgotten, none gets another one's memory, and a failure is told with the pod that it is of.

Resource          ../resources/several.resource

Suite Setup       Acquire Environment Beside A Control Arm    witness
Suite Teardown    Release Environment After The Control Arm

Test Tags         e2e    k3s    propagator    checkpoint    restore    several-pods    test:retry(1)


*** Test Cases ***
Many Pods Are Checkpointed And Restored At Once
    [Documentation]    SEVERAL_PODS pods, AT_ONCE of them at the same time; each has its own verdict.
    Deploy Workloads    witness
    Observe Workloads
    Checkpoint Workloads
    Delete Workloads
    Restore Workloads
    Workloads Should Have Continued
    Clean Up Checkpoints
    [Teardown]    Remove Workloads

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same witness, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
