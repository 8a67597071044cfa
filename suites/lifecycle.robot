*** Settings ***
Documentation     The process of a pod that was checkpointed, deleted and restored goes on where it stopped. That the
...               pod becomes Ready again proves nothing: a plain restart would do the same. So its process carries a
...               nonce that exists in its memory only, and a chained counter. After the restore both must go on.

Resource          ../resources/lifecycle.resource

Suite Setup       Acquire Environment Beside A Control Arm    nginx
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    lifecycle    smoke    test:retry(1)


*** Test Cases ***
Pod Checkpoint And Restore Via Propagator API
    [Documentation]    The pod's process goes on after the restore, the pod is in all its fields what it was, its
    ...    processes were started with their containers, it answers through its Service, and it stays Ready for
    ...    STABLE_TIME, in which all of that is looked at, too.
    Deploy Workload    nginx
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Workload Should Be As It Was
    Workload Should Answer Through Its Service
    Clean Up Checkpoint
    Workload Should Stay Ready

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same workload beside it, deleted and created again without a restore. If
    ...    it came out as anything but restarted, no verdict of this run could be trusted. It is never retried: a check
    ...    that is broken once is broken, and the arm that it joins is not there a second time.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
