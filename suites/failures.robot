*** Settings ***
Documentation     What cannot work is refused soon and with a reason, never claimed to be done; and when the propagator
...               is away, the workload goes on as if nothing had happened and the failure blames the service.

Resource          ../resources/failures.resource

Suite Setup       Acquire Environment And Begin Workloads
...                   pending    completed    crashing    witness    witness    witness    witness    witness    witness
Suite Teardown    Release Environment After Begun Workloads
Test Teardown     Remove Workload And Mend The Connection

Test Tags         e2e    k3s    propagator    failures    test:retry(1)


*** Test Cases ***
A Checkpoint Of A Missing Pod Is Refused
    [Documentation]    There is no pod of that name in the namespace.
    [Tags]    checkpoint
    Checkpoint Of A Missing Pod Should Be Refused

A Checkpoint Of A Pending Pod Is Refused
    [Documentation]    No node can take the pod, so no process of it runs.
    [Tags]    checkpoint
    Deploy Workload That Will Not Run    pending    Pending
    Checkpoint Of Workload Should Be Refused

A Checkpoint Of A Completed Pod Is Refused
    [Documentation]    The pod's process has done its work and ended.
    [Tags]    checkpoint
    Deploy Workload That Will Not Run    completed    Succeeded
    Checkpoint Of Workload Should Be Refused

A Checkpoint Of A Crashing Pod Is Refused
    [Documentation]    The pod's process ends right after each start; between two starts there is nothing to save.
    [Tags]    checkpoint
    Deploy Workload That Will Not Run    crashing    CrashLoopBackOff
    Checkpoint Of Workload Should Be Refused

A Restore Of An Unknown Checkpoint Is Refused
    [Documentation]    Nobody took a checkpoint of that id.
    [Tags]    restore
    Restore Of An Unknown Checkpoint Should Be Refused

A Restore Of A Deprecated Checkpoint Is Refused
    [Documentation]    What was given up must not come back, and the source goes on.
    [Tags]    checkpoint    restore
    Deploy Workload    witness
    Observe Workload
    Checkpoint Workload
    Clean Up Checkpoint
    Restore Of The Checkpoint Should Be Refused
    Workload Should Be Unharmed

A Restore Of An Unfinished Checkpoint Is Refused
    [Documentation]    A checkpoint that is still being taken cannot be restored; it is completed all the same.
    [Tags]    checkpoint    restore    needs-slow-checkpoints
    Deploy Workload    witness
    Observe Workload
    Restore While The Checkpoint Is Taken Should Be Refused
    Wait Until Checkpoint Is Done
    Workload Should Be Unharmed
    Clean Up Checkpoint

The Source Goes On While The Propagator Is Away
    [Documentation]    The connection is cut after the checkpoint was asked for. The work goes on without us: when the
    ...    propagator is there again, the checkpoint is done, and can be restored.
    [Tags]    checkpoint    restore
    Deploy Workload    witness
    ${before}=    Observe Workload
    Ask For Checkpoint
    Cut Off From The Propagator
    Waiting For The Checkpoint Should Fail As An Outage
    Workload Should Be Unharmed
    Reach The Propagator Again
    Wait Until Checkpoint Is Done
    Workload Should Be Restorable    ${before}

No Checkpoint Is Begun While The Propagator Is Away
    [Documentation]    The request fails soon, the source goes on, and afterwards a checkpoint is possible as ever.
    [Tags]    checkpoint    restore
    Deploy Workload    witness
    ${before}=    Observe Workload
    Cut Off From The Propagator
    Asking For A Checkpoint Should Fail As An Outage
    Workload Should Be Unharmed
    Reach The Propagator Again
    Checkpoint Workload
    Workload Should Be Restorable    ${before}

No Restore Is Begun While The Propagator Is Away
    [Documentation]    The request fails soon, and afterwards the same checkpoint can be restored: once, not twice.
    [Tags]    checkpoint    restore
    Deploy Workload    witness
    ${before}=    Observe Workload
    Checkpoint Workload
    Cut Off From The Propagator
    Asking For A Restore Should Fail As An Outage
    Reach The Propagator Again
    Workload Should Be Restorable    ${before}

The Source Goes On While The Cluster Does Not Reach The Propagator
    [Documentation]    Cedana on the cluster is cut off: a checkpoint that is asked for meanwhile is not claimed to be
    ...    done in vain, the source goes on, and afterwards a checkpoint is possible as ever.
    [Tags]    checkpoint    restore    needs-own-cedana
    Skip Unless The Release Is This Run's
    Deploy Workload    witness
    ${before}=    Observe Workload
    Cut The Cluster Off From The Propagator
    Ask For Checkpoint
    Wait For A Checkpoint That Nobody May Take
    Workload Should Be Unharmed
    Connect The Cluster Again
    Checkpoint Workload Unless It Was Done
    Workload Should Be Restorable    ${before}
