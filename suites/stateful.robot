*** Settings ***
Documentation     A pod of a StatefulSet keeps its process, its claim with what is in it, and its identity.
...
...               Who restores such a pod has the StatefulSet against him: as soon as the pod is deleted, the set makes
...               another one of the same name, with the same claim and a fresh process. So the set is scaled to none,
...               which keeps the claims. The restored pod has another name (`...-0-restored`), which the set does not
...               count as its own: it neither adopts nor removes it. The restored pod has no owner, so nobody makes it
...               anew when it is lost. Its identity lies in host name and subdomain, from which DNS makes its stable
...               name, and in its labels. Scaled up again, the set would make a second pod on the same claim; delete
...               the restored one before.
...
...               A claim is no part of a checkpoint. What the process wrote into it after the cut is there, too, and
...               the restored process, which does not know of it, must bear that. A file of a claim that is open at the
...               cut and grows afterwards makes CRIU refuse the restore.

Resource          ../resources/stateful.resource

Suite Setup       Acquire Environment With Storage
Suite Teardown    Release Environment
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    stateful    needs-storage    test:retry(1)


*** Test Cases ***
A Pod Of A StatefulSet Is Restored With Its Claim And Identity
    [Documentation]    The file that was written before is there, in the same volume of the same claim.
    [Tags]    checkpoint    restore
    Deploy Stateful Workload
    ${content}=    Order A File In The Claim
    ${before}=    Observe Workload
    Checkpoint Workload
    Scale Workload Down
    Restore Workload
    Workload Should Have Continued    ${before}
    Claim Should Be Kept    ${content}
    Identity Should Be Kept
    Clean Up Checkpoint

The Pod That A StatefulSet Makes Anew Comes Out As Restarted
    [Documentation]    The control arm: the set's own replacement has the name, the host name and the claim of the pod
    ...    that it replaces, and the file is there. Only its process tells that nothing was restored.
    [Tags]    control    -test:retry(1)
    Deploy Stateful Workload
    ${content}=    Order A File In The Claim
    ${before}=    Observe Workload
    Let The StatefulSet Make The Pod Anew
    Pod Should Have Restarted On Its Claim    ${before}    ${content}
