*** Settings ***
Documentation     A process that was checkpointed in one cluster goes on in another one, which has never seen its pod.
...               Both clusters are registered with the same propagator; what the process holds in memory is all that
...               goes from one to the other.

Resource          ../resources/cross_cluster.resource

Suite Setup       Acquire Two Clusters Beside A Control Arm    witness
Suite Teardown    Release Environment After The Control Arm

Test Tags    e2e
...          k3s
...          propagator
...          checkpoint
...          restore
...          cross-cluster
...          needs-two-clusters
...          test:retry(1)


*** Test Cases ***
A Process Goes On In Another Cluster
    [Documentation]    The pod is deleted in its own cluster and restored in the second one.
    Deploy Workload    witness
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload In The Other Cluster
    Workload Should Have Continued In The Other Cluster    ${before}
    Own Cluster Should Have No Restored Pod
    Clean Up Checkpoint
    [Teardown]    Remove Workload From Both Clusters

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same witness, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
