*** Settings ***
Documentation     A restored pod runs where it may: on a node that its affinity, tolerations and neighbours allow, and
...               on another one when its own was drained, as when a spot instance is taken away.

Resource          ../resources/placement.resource

Suite Setup       Acquire Environment Beside A Control Arm    witness    witness
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload And Leave Nodes As They Were

Test Tags         e2e    k3s    propagator    placement    test:retry(1)


*** Test Cases ***
A Pod Goes On Where Its Affinity And Tolerations Allow It
    [Documentation]    The pod may run on one reserved node only, and is restored there.
    [Tags]    checkpoint    restore    needs-two-nodes    changes-nodes
    Reserve A Node
    Deploy Workload    placement
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued As It Was    ${before}
    Restored Workload Should Be On Reserved Node
    Clean Up Checkpoint

A Pod Goes On Elsewhere When Its Node Is Drained
    [Documentation]    The node takes no pods any more; the pod is checkpointed, evicted, and goes on elsewhere.
    [Tags]    checkpoint    restore    needs-two-nodes    changes-nodes
    Deploy Workload Where It Can Move    witness
    ${before}=    Observe Workload
    Announce The End Of The Node
    Checkpoint Workload
    Drain Workload From Its Node
    Restore Workload
    Workload Should Have Continued As It Was    ${before}
    Restored Workload Should Be Elsewhere
    Clean Up Checkpoint

A Pod Goes On Apart From Its Neighbour
    [Documentation]    The pod must not share a node with another one, and does not after the restore either.
    [Tags]    checkpoint    restore    needs-two-nodes
    Deploy Neighbour
    Deploy Workload    apart
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued As It Was    ${before}
    Restored Workload Should Be Apart
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm of this kind of workload, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
