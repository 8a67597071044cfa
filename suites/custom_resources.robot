*** Settings ***
Documentation     A pod that an operator made for a custom resource is restored, and belongs to nobody else afterwards.
...
...               Such a pod has an owner reference to the custom resource: it is removed with it, and its operator
...               makes it anew when it is lost. The restored pod is a pod of its own. If the restore leaves that
...               reference out, nobody removes the pod with its custom resource until the operator takes it back; if it
...               keeps it, the pod goes with its owner, and is removed at once where the owner is gone by then. Both
...               are honest; what must not be is that it belongs to somebody else. An operator that makes a lost pod
...               anew at once must be held back during a restore, as a StatefulSet must be (see stateful.robot). The
...               operator here is played by the keywords, and does nothing that it is not told.

Resource          ../resources/custom_resources.resource

Suite Setup       Acquire Environment Beside A Control Arm    witness
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Custom Resource

Test Tags         e2e    k3s    propagator    checkpoint    restore    custom-resources    test:retry(1)


*** Test Cases ***
An Operator Takes The Restored Pod Of Its Custom Resource Back
    [Documentation]    The process goes on, and once the operator has the pod back, it goes with the custom resource.
    Deploy Custom Resource
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Restored Pod Should Belong To Nobody Else
    Let The Operator Take The Restored Pod Back
    Delete Custom Resource
    Clean Up Checkpoint

A Restored Pod Goes With Its Custom Resource Only If It Belongs To It
    [Documentation]    Without its operator, the restored pod goes with the custom resource if the restore kept the
    ...    owner reference; else it outlives it.
    Deploy Custom Resource
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Restored Pod Should Belong To Nobody Else
    Delete Custom Resource
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same witness, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
