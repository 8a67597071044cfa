*** Settings ***
Documentation     A process goes on with what it had in the memory of a GPU: its nonce and its steps are there and
...               nowhere else, so that a restore that forgets the GPU's memory cannot pass.

Resource          ../resources/gpu.resource

Suite Setup       Acquire Environment With A GPU
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    gpu    needs-gpu    slow


*** Test Cases ***
A Process Goes On With What It Had In The Memory Of A GPU
    [Documentation]    A CUDA program is checkpointed, deleted and restored.
    [Tags]    test:retry(1)
    Deploy Workload    gpu    timeout=${SETTINGS.GPU_POD_TIMEOUT}
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same program, deleted and created again without a restore.
    [Tags]    control
    Created Again It Should Come Out As Restarted    gpu
