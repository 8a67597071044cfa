*** Settings ***
Documentation     All containers of a pod go on after a restore, each where it stopped, and from one moment: the
...               messages that they had passed one another before the checkpoint are neither lost nor doubled nor from
...               the future. That every container goes on is not enough: if they were cut one after the other, one of
...               them remembers what the other one has not done yet.

Resource          ../resources/multi_container.resource

Suite Setup       Acquire Environment Beside A Control Arm    two_containers    container=left
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    multi-container    test:retry(1)


*** Test Cases ***
All Containers Of A Pod Go On From One Moment
    [Documentation]    Two containers that exchange messages; each has a witness of its own.
    Deploy Workload    two_containers
    ${before}=    Observe Containers Of The Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Containers Of The Workload Should Have Continued    ${before}
    Containers Should Be From One Moment    ${before}
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same pod, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
