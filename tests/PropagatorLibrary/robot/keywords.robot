*** Settings ***
Documentation    The keywords against a propagator over a fake backend. The test beside gives URL and pod.

Library          ../../../libraries/PropagatorLibrary/
Library          RequestsLibrary


*** Variables ***
${TOKEN: Secret}    %{CEDANA_AUTH_TOKEN}
${URL}              ${EMPTY}
${POD}              ${EMPTY}


*** Test Cases ***
A Wrong Token Is Refused
    [Documentation]    The failure names the cause.
    VAR    ${wrong: Secret}    %{WRONG_TOKEN}
    Run Keyword And Expect Error    *Cause: auth (service)    Connect To Propagator    ${URL}    ${wrong}

A Bad URL Is Refused
    [Documentation]    Before anything is sent.
    Run Keyword And Expect Error    url is 'ftp://x'*    Connect To Propagator    ftp://x    ${TOKEN}

Nothing Works Before The Connection
    [Documentation]    The failure says which keyword is missing.
    Run Keyword And Expect Error    *Use Connect To Propagator.*    List Clusters

A Cluster Is Registered Once
    [Documentation]    The URL may be written with /v1/.
    Connect To Propagator    ${URL}/v1/    ${TOKEN}
    ${cluster}=    Register Cluster    e2e-robot
    ${again}=    Register Cluster    e2e-robot
    Should Be Equal    ${again}    ${cluster}
    ${clusters}=    List Clusters
    Should Be Equal    ${clusters[-1].name}    e2e-robot
    Deregister Cluster    ${cluster}

A Pod Is Checkpointed
    [Documentation]    With every option.
    ${action}=    Checkpoint Pod    ${POD}    kind=simple    reason=manual    overrides={'streams': 2}
    ${status}=    Wait Until Action Completes    ${action}    timeout=10 s
    Should Be Equal    ${status.status}    ready
    ${latest}=    Get Latest Action Of Pod    ${POD}
    Should Be Equal    ${latest.id}    ${action}
    VAR    ${ACTION}    ${action}    scope=SUITE

A Pod Is Restored
    [Documentation]    Under another name.
    ${restore}=    Restore Pod    ${ACTION}    name=web-again
    Wait Until Action Completes    ${restore}    timeout=10 s
    ${status}=    Get Action Status    ${restore}
    Should Be Equal    ${status.outcome.value}    succeeded
    ${restores}=    List Actions    restore_pod
    Length Should Be    ${restores}    1

What The Propagator Knows Is Listed
    [Documentation]    The restored pod is there too.
    ${pods}=    List Propagator Pods
    Should Be Equal    ${{sorted(pod.name for pod in $pods)}}    ${{['web', 'web-again']}}
    ${nodes}=    List Propagator Nodes
    Length Should Be    ${nodes}    1

A Checkpoint Is Given Up
    [Documentation]    The row stays.
    ${checkpoint}=    Get Checkpoint Of Action    ${ACTION}
    Deprecate Checkpoint    ${checkpoint.id}
    ${checkpoint}=    Get Checkpoint    ${checkpoint.id}
    Should Be True    ${checkpoint.deprecated}
    Run Keyword And Expect Error    *Seen: the propagator knows none of that id*    Get Checkpoint    ${POD}

A Heartbeat Policy Is Made And Ended
    [Documentation]    It is far too slow to act.
    ${clusters}=    List Clusters
    ${policy}=    Create Heartbeat Policy    ${POD}    cluster_id=${clusters[0].id}    interval=1 h
    ${policies}=    List Heartbeat Policies
    Should Be Equal    ${policies[0].id}    ${policy}
    Delete Heartbeat Policy    ${policy}

RequestsLibrary Shares The Session
    [Documentation]    For whatever has no keyword of its own.
    ${response}=    GET On Session    propagator    /v2/actions
    Length Should Be    ${response.json()}    2
    POST On Session    propagator    /v2/cluster    json=${{{'cluster_name': 'by-hand'}}}
    Run Keyword And Expect Error    HTTPError: 404*    GET On Session    propagator    /v2/nothing
