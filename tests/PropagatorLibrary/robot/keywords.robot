*** Settings ***
Documentation       The keywords against a propagator over a fake backend; the test beside this file gives its URL and its pod.

Library             ../../../libraries/PropagatorLibrary/
Library             RequestsLibrary


*** Variables ***
${TOKEN: Secret}    %{CEDANA_AUTH_TOKEN}
${URL}              ${EMPTY}
${POD}              ${EMPTY}


*** Test Cases ***
A Wrong Token Is Refused
    VAR    ${WRONG: Secret}    %{WRONG_TOKEN}
    Run Keyword And Expect Error    *Cause: auth (service)    Connect To Propagator    ${URL}    ${WRONG}

A Bad URL Is Refused
    Run Keyword And Expect Error    url is 'ftp://x'*    Connect To Propagator    ftp://x    ${TOKEN}

Nothing Works Before The Connection
    Run Keyword And Expect Error    *Use Connect To Propagator.*    List Clusters

A Pod Is Checkpointed And Restored
    Connect To Propagator    ${URL}/v1/    ${TOKEN}
    ${cluster}=    Register Cluster    e2e-robot
    ${again}=    Register Cluster    e2e-robot
    Should Be Equal    ${again}    ${cluster}
    ${clusters}=    List Clusters
    Should Be Equal    ${clusters[-1].name}    e2e-robot
    ${action}=    Checkpoint Pod    ${POD}    kind=simple    reason=manual    overrides={'streams': 2}
    ${status}=    Wait Until Action Completes    ${action}    timeout=10 s
    Should Be Equal    ${status.status}    ready
    ${latest}=    Get Latest Action Of Pod    ${POD}
    Should Be Equal    ${latest.id}    ${action}
    ${restore}=    Restore Pod    ${action}    name=web-again
    Wait Until Action Completes    ${restore}    timeout=10 s
    ${status}=    Get Action Status    ${restore}
    Should Be Equal    ${status.outcome.value}    succeeded
    ${restores}=    List Actions    restore_pod
    Length Should Be    ${restores}    1
    ${pods}=    List Propagator Pods
    Should Be Equal    ${{sorted(pod.name for pod in $pods)}}    ${{['web', 'web-again']}}
    ${nodes}=    List Propagator Nodes
    Length Should Be    ${nodes}    1
    ${checkpoint}=    Get Checkpoint Of Action    ${action}
    Deprecate Checkpoint    ${checkpoint.id}
    ${checkpoints}=    List Checkpoints
    Should Be True    ${checkpoints[0].deprecated}
    ${policy}=    Create Heartbeat Policy    ${POD}    cluster_id=${cluster}    interval=1 h
    ${policies}=    List Heartbeat Policies
    Should Be Equal    ${policies[0].id}    ${policy}
    Delete Heartbeat Policy    ${policy}
    Deregister Cluster    ${cluster}

RequestsLibrary Shares The Session
    ${response}=    GET On Session    propagator    /v2/actions
    Length Should Be    ${response.json()}    2
    ${response}=    POST On Session    propagator    /v2/cluster    json=${{{'cluster_name': 'by-hand'}}}
    Run Keyword And Expect Error    HTTPError: 404*    GET On Session    propagator    /v2/nothing
