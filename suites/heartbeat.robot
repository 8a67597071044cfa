*** Settings ***
Documentation     A heartbeat policy checkpoints a pod at regular times, and the latest of these checkpoints restores
...               it: so a pod that is lost without a warning goes on from where it was a moment ago.

Resource          ../resources/heartbeat.resource

Suite Setup       Acquire Environment With Policies And Begin Workloads    witness    witness
Suite Teardown    Release Environment After Begun Workloads
Test Teardown     Remove Workload And Its Heartbeat

Test Tags         e2e    k3s    propagator    checkpoint    heartbeat    needs-policies    test:retry(1)


*** Test Cases ***
The Latest Heartbeat Restores A Lost Pod
    [Documentation]    Nobody asks for a checkpoint; the policy takes them. The pod is deleted, and the latest of them
    ...    brings its process back.
    [Tags]    restore
    Deploy Workload    witness
    ${before}=    Observe Workload
    Start Heartbeat
    Wait For Another Heartbeat
    Stop Heartbeat
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Clean Up Heartbeats

A Heartbeat Ends With Its Policy
    [Documentation]    When the policy is deleted, no further checkpoint is taken, and the pod goes on.
    Deploy Workload    witness
    Observe Workload
    Start Heartbeat
    Stop Heartbeat
    Heartbeat Should Have Ended
    Clean Up Heartbeats
