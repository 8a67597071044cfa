*** Settings ***
Documentation     Cedana's Helm chart is upgraded and rolled back under a running workload, and checkpoints still work
...               after each. Runs where this run installed Cedana itself: another's release is never touched.

Resource          ../resources/chart.resource

Suite Setup       Acquire Environment With A Release Of Its Own    witness    witness
Suite Teardown    Release Environment After Begun Workloads
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    chart    needs-own-cedana


*** Test Cases ***
A Workload Is Restored After Cedana Was Upgraded
    [Documentation]    An upgrade with another log level leaves the workload alone, all pods of Cedana become Ready
    ...    again, and a checkpoint taken afterwards can be restored.
    Deploy Workload    witness
    ${before}=    Observe Workload
    Upgrade Cedana    CEDANA_LOG_LEVEL=debug
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Clean Up Checkpoint

A Checkpoint Can Be Restored After Cedana Was Rolled Back
    [Documentation]    A checkpoint that the upgraded Cedana took is restored by the one before it: the rollback brings
    ...    the values of the first revision back, and what is stored stays usable.
    Deploy Workload    witness
    ${before}=    Observe Workload
    Upgrade Cedana    CEDANA_LOG_LEVEL=warn
    Checkpoint Workload
    Delete Workload
    Roll Cedana Back
    Restore Workload
    Workload Should Have Continued    ${before}
    Clean Up Checkpoint
