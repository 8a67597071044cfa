*** Settings ***
Documentation     A confined process is as confined after a restore: not root, no capabilities, a seccomp filter, a root
...               file system that is read-only, its groups.

Resource          ../resources/security.resource

Suite Setup       Acquire Environment Beside A Control Arm    security
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    security    test:retry(1)


*** Test Cases ***
A Confined Process Goes On And Stays Confined
    [Documentation]    The security context is kept in the pod's spec and in force for its process, which tries to do
    ...    what it must not.
    Deploy Confined Workload    security
    ${before}=    Observe Workload
    Checkpoint Workload
    Note What The Process Says Of Itself
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Process Should Still Be Confined
    Workload Should Be As It Was
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm of this kind of workload, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
