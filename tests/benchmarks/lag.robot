*** Settings ***
Documentation     Lifecycles one after the other, with nothing beside them, so that each keyword's end and each request
...               can be held against the changes in the sandbox's journal.

Resource          ../../resources/lifecycle.resource

Suite Setup       Acquire Environment
Suite Teardown    Release Environment


*** Variables ***
${CYCLES}       20


*** Test Cases ***
Lifecycles
    [Documentation]    CYCLES of them.
    FOR    ${cycle}    IN RANGE    ${CYCLES}
        Live Through A Lifecycle    lag-${cycle}
    END


*** Keywords ***
Live Through A Lifecycle
    [Documentation]    One lifecycle of a witness of that name.
    [Arguments]    ${name}
    ${pod}=    Apply Manifest    ${WORKLOADS}/witness.yaml    ${RUN_NAMESPACE}    pod_name=${name}
    ...    images=${SETTINGS.images}    needs_pod=True
    ${pod}=    Wait Until Pod Is Ready    ${name}    ${RUN_NAMESPACE}
    ${before}=    ContinuityLibrary.Observe Workload    ${name}    ${RUN_NAMESPACE}
    Log    seen: ${before.before.log.steps[4].stamp}
    Note Checkpoint Request    ${before}
    ${checkpoint}=    Checkpoint Pod    ${pod.metadata.uid}    runc_root=${SETTINGS.RUNC_ROOT}
    Wait Until Action Completes    ${checkpoint}    kind=checkpoint
    Note Checkpoint Done    ${before}
    Source Should Have Gone On    ${before}
    Note Deletion    ${before}
    Delete Pod    ${name}    ${RUN_NAMESPACE}    uid=${pod.metadata.uid}
    ${known}=    Expect Restored Pod    ${pod}
    Note Restore Request    ${before}
    ${restore}=    Restore Pod    ${checkpoint}    cluster_id=${CLUSTER_UUID}
    Wait Until Action Completes    ${restore}    kind=restore
    ${restored}=    Wait Until Restored Pod Is Ready    ${pod}    known=${known}
    ContinuityLibrary.Workload Should Have Continued    ${before}    ${restored.metadata.name}
    Delete Pod    ${restored.metadata.name}    ${RUN_NAMESPACE}    uid=${restored.metadata.uid}
