*** Settings ***
Documentation     A pod with a proxy beside its application, as a service mesh injects it, goes on in both containers.
...
...               A mesh marks pods by labels, and its webhook adds containers when they are created. Here no webhook
...               is needed: the manifests are what a webhook leaves, and they tell installed meshes to leave the pods
...               alone. The restored pod must have the containers that the pod had: none missing, and none twice, for
...               a webhook may take it for injected already, or for not. An init container that had ended is run again,
...               as with every new pod, and must bear that.

Resource          ../resources/sidecar.resource

Suite Setup       Acquire Environment Beside A Control Arm    witness    sidecar-classic
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    sidecar    test:retry(1)


*** Test Cases ***
A Pod With A Native Sidecar Goes On In Both Containers
    [Documentation]    The proxy is an init container that keeps running (restartPolicy Always).
    [Tags]    needs-native-sidecars
    Kubernetes Should Know Native Sidecars
    Deploy Workload    sidecar-native
    Observe Application And Proxy
    Take Application And Proxy Through Checkpoint And Restore
    Workload Should Be As It Was
    Application And Proxy Should Have Continued
    Clean Up Checkpoint

A Pod With A Classic Sidecar Goes On In Both Containers
    [Documentation]    The proxy is a second container of the pod.
    Deploy Workload    sidecar-classic
    Observe Application And Proxy
    Take Application And Proxy Through Checkpoint And Restore
    Workload Should Be As It Was
    Application And Proxy Should Have Continued
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same witness, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
