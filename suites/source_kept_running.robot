*** Settings ***
Documentation     A checkpoint does not harm the pod that it is taken of, and a restore beside it makes a second process
...               that goes its own way. Until the checkpoint both were one: they have the same nonce, and are told
...               apart by the steps that each of them takes for itself.

Resource          ../resources/source_kept_running.resource

Suite Setup       Acquire Environment Beside A Control Arm    witness    witness    witness
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    source-kept-running    test:retry(1)


*** Test Cases ***
A Pod Is Restored Beside The Original Which Goes On
    [Documentation]    Nothing is deleted: after the restore there are two processes, and both go on.
    [Tags]    restore
    Deploy Workload    witness
    ${before}=    Observe Workload
    Checkpoint Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Original Should Have Gone On    ${before}
    Original And Copy Should Go Their Own Ways    ${before}
    Clean Up Checkpoint

A Pod Goes On After Two Checkpoints
    [Documentation]    Checkpoints may be taken as often as one likes: the process notices a short pause only.
    Deploy Workload    witness
    ${before}=    Observe Workload
    Checkpoint Workload
    Clean Up Checkpoint
    Checkpoint Workload
    Original Should Have Gone On    ${before}
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same witness, deleted and created again without a restore.
    [Tags]    control    restore    -test:retry(1)
    Control Arm Should Have Restarted
