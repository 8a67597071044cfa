*** Comments ***
The examples of all keywords, in an order in which each of them makes sense. A line <<Keyword Name>> stands for the example
in that keyword's documentation; test_examples.py puts it there and runs the whole.


*** Settings ***
Library           OperatingSystem
Library           <<libraries>>/K3sLibrary/
Library           <<libraries>>/HelmLibrary/
Library           <<libraries>>/KubernetesLibrary/
Library           <<libraries>>/PropagatorLibrary/
Library           <<libraries>>/ContinuityLibrary/
Library           <<libraries>>/ReportLibrary/
Suite Teardown    Remove Everything This Run Made


*** Test Cases ***
Clusters
    <<List Leftovers>>
    <<Start Cluster>>
    VAR    ${URL}    ${cluster.propagator_url}    scope=SUITE
    VAR    ${TOKEN}    ${cluster.token}    scope=SUITE
    VAR    ${CHART}    ${cluster.chart}    scope=SUITE
    <<Cluster Should Be Ready>>
    <<Get Cluster Facts>>
    <<Cluster Should Be Fit>>
    <<Stop Cluster>>
    <<Cluster Should Leave No Trace>>
    Keep As Another Run    1a2b3c4d
    <<Attach To Kept Cluster>>
    Stop Cluster    cluster=kept
    Remove File    %{LEDGER_DIR}/1a2b3c4d.jsonl
    <<Remove Leftovers>>

A Propagator Of Our Own
    <<Start Propagator Server>>

Cedana
    <<Connect To Propagator>>
    <<Get Propagator Era>>
    <<Register Cluster>>
    VAR    ${ID}    ${cluster_id}    scope=SUITE
    <<Propagator Should Be At>>
    <<Cluster Should Be Registered>>
    <<List Clusters>>
    <<Cut Connection To Propagator>>
    <<Mend Connection To Propagator>>
    <<List Releases>>
    <<Get Chart Values>>
    <<Get Cedana Values>>
    <<Install Chart>>
    <<Wait Until Release Is Ready>>
    <<Release Should Be Deployed>>
    <<Wait Until Pods Are Ready>>
    <<Get Release>>
    <<Get Release Values>>
    <<Upgrade Chart>>
    <<Rollback Release>>

A Pod
    <<Create Namespace>>
    <<Find Object>>
    <<Apply Manifest>>
    <<Wait Until Pod Is Ready>>
    <<Wait Until Pod Status Is>>
    <<Get Pod>>
    VAR    ${pod}    ${pod}    scope=SUITE
    <<List Pods>>
    <<Get Pod Events>>
    <<Execute In Pod>>
    <<Write File In Pod>>
    <<Wait Until File In Pod Holds>>
    <<File In Pod Should Hold>>
    <<File In Pod Should Not Exist>>
    <<File In Pod Should Count Up>>
    <<Get Default Storage Class>>
    <<Get Claims Of Pod>>
    <<Pod Should Have Claims>>
    <<Scale Stateful Set>>
    <<Wait Until Kind Is Served>>
    <<Wait Until Pod Is Gone>>
    <<Pod Should Belong To Nobody But>>
    <<Get Node Facts>>
    <<List Nodes For Workloads>>
    <<Label Node>>
    <<Taint Node>>
    <<Cordon Node>>
    <<Offer Resource On Node>>
    <<Undo Node Changes>>
    <<Pod Should Stay Ready>>
    <<Wait Until Service Answers>>
    <<Request Through Service>>
    <<Acquire Lease>>
    <<Release Lease>>
    <<Delete Manifest>>
    <<Observe Workload>>
    VAR    ${before}    ${before}    scope=SUITE
    VAR    ${observed}    ${before}    scope=SUITE
    <<Give Pod An Owner>>
    <<Remember Pod>>
    VAR    ${remembered}    ${before}    scope=SUITE
    VAR    ${before}    ${observed}    scope=SUITE
    <<Get Pod Logs>>
    <<Wait Until Pod Log Matches>>

A Checkpoint
    <<List Propagator Nodes>>
    <<List Propagator Pods>>
    <<Start Measuring Resource Use>>
    <<Checkpoint Pod>>
    <<Wait Until Action Completes>>
    <<Stop Measuring Resource Use>>
    <<Get Resource Use>>
    <<Get Checkpoint Storage>>
    <<Get Action Status>>
    <<Get Checkpoints Of Action>>
    VAR    ${checkpoint}    ${checkpoints}[0]
    <<Deprecate Checkpoint>>
    <<Note Checkpoint Request>>
    <<Note Checkpoint Done>>
    <<Source Should Have Gone On>>
    VAR    ${taken}    ${action}    scope=SUITE
    <<Get Latest Action Of Pod>>
    <<List Actions>>
    <<List Checkpoints>>
    VAR    ${id}    ${ID}
    <<Propagator Has Policies>>
    <<Create Heartbeat Policy>>
    <<List Heartbeat Policies>>
    <<Delete Heartbeat Policy>>
    <<Wait For Heartbeat>>
    Delete Heartbeat Policy    ${policy}
    <<List Heartbeats>>
    <<No Heartbeat Should Come>>
    <<Restore Of Running Checkpoint Should Be Refused>>
    Wait Until Action Completes    ${action}

A Restore
    <<Start Control Arm>>
    VAR    ${original}    ${pod}
    VAR    ${checkpoint}    ${taken}
    <<Note Deletion>>
    <<Note Restore Request>>
    <<Expect Restored Pod>>
    <<Wait Until Restored Pod Is Ready>>
    <<Find Restored Pod>>
    VAR    ${before}    ${remembered}    scope=SUITE
    <<Restored Pod Should Match>>
    VAR    ${before}    ${observed}    scope=SUITE
    <<Workload Should Have Continued>>
    VAR    ${restored_name}    ${restored.metadata.name}
    Delete Pod    ${restored_name}    my-tests
    VAR    ${action}    ${taken}
    VAR    ${cluster_id}    ${ID}
    <<Restore Should Be Refused>>
    <<Checkpoint Should Be Refused>>
    <<Restore Pod>>
    <<Get Checkpoint Of Action>>
    VAR    ${id}    ${checkpoint.id}
    <<Get Checkpoint>>
    Apply Manifest    ${CURDIR}/witness.yaml    my-tests    pod_name=web
    Wait Until Pod Is Ready    web    my-tests
    <<Workload Should Have Restarted>>
    <<Get Verdicts>>
    <<Control Arm Should Have Restarted>>
    Start Control Arm    ${CURDIR}/nginx.yaml    my-tests
    <<Stop Control Arm>>

A Verdict That Nobody Demands
    Apply Manifest    ${CURDIR}/witness.yaml    my-tests    pod_name=quiet
    Wait Until Pod Is Ready    quiet    my-tests
    ${before}=    Observe Workload    quiet    my-tests
    Note Checkpoint Request    ${before}
    ${action}=    Checkpoint Pod    name=quiet    namespace=my-tests
    Wait Until Action Completes    ${action}
    Note Checkpoint Done    ${before}
    Delete Pod    quiet    my-tests
    ${restore}=    Restore Pod    ${action}    cluster_id=${ID}    name=quiet
    Wait Until Action Completes    ${restore}
    Wait Until Pod Is Ready    quiet    my-tests
    <<Get Verdict>>

A Source That Lives On
    Delete Pod    web-restored    my-tests
    Apply Manifest    ${CURDIR}/witness.yaml    my-tests    pod_name=source
    Wait Until Pod Is Ready    source    my-tests
    ${before}=    Observe Workload    source    my-tests
    Note Checkpoint Request    ${before}
    ${action}=    Checkpoint Pod    name=source    namespace=my-tests
    Wait Until Action Completes    ${action}
    Note Checkpoint Done    ${before}
    ${restore}=    Restore Pod    ${action}    cluster_id=${ID}    name=web-restored
    Wait Until Action Completes    ${restore}
    Wait Until Pod Is Ready    web-restored    my-tests
    <<Source And Copy Should Go Their Own Ways>>
    ${after}=    Observe Workload    web-restored    my-tests
    <<Should Be The Same Process>>

The Network
    Apply Manifest    ${CURDIR}/client.yaml    my-tests    pod_name=client
    Wait Until Pod Is Ready    client    my-tests
    Apply Manifest    ${CURDIR}/nginx.yaml    my-tests    pod_name=site    rename_services=True
    ${pod}=    Wait Until Pod Is Ready    site    my-tests
    ${service}=    Find Object    Service    site    my-tests
    <<Wait Until Name Resolves In Pod>>
    <<Wait Until Command In Pod Prints>>
    <<Wait Until Service Leads To Pod>>
    <<Wait Until Pod Has Condition>>
    <<Set Pod Condition>>
    <<Wait Until Service Leads Nowhere>>
    ${gated}=    Apply Manifest    ${CURDIR}/gated.yaml    my-tests    pod_name=gated
    Wait Until Pod Has Condition    gated    my-tests    ContainersReady
    <<Pod Should Wait At Its Gates>>
    Delete Pod    gated    my-tests
    Delete Pod    client    my-tests

A Connection
    Apply Manifest    ${CURDIR}/redis.yaml    my-tests    pod_name=db
    Wait Until Pod Is Ready    db    my-tests
    <<Hold Connection>>
    <<Connection Should Go On>>
    <<Get Fate Of Connection>>
    <<Release Connections>>
    Delete Pod    db    my-tests

A Witness That Is Asked
    Apply Manifest    ${CURDIR}/nginx-status.yaml    my-tests    pod_name=counted
    Wait Until Pod Is Ready    counted    my-tests
    <<Observe Sampled Workload>>
    Delete Pod    counted    my-tests

A Pod That No Node Can Take
    ${manifest}=    Get File    ${CURDIR}/witness.yaml
    Apply Manifest    ${manifest}    my-tests    pod_name=web-before
    ${original}=    Wait Until Pod Is Ready    web-before    my-tests
    ${known}=    Expect Restored Pod    ${original}    name=web-large
    VAR    ${large}    ${{$manifest.replace('memory: 64Mi', 'memory: 900Gi').replace('memory: 16Mi', 'memory: 900Gi')}}
    Apply Manifest    ${large}    my-tests    pod_name=web-before-restored
    <<Wait Until Restored Pod Is Unschedulable>>

A Container That Takes More Than It May
    VAR    ${eater}    ${CURDIR}/memory.yaml
    Apply Manifest    ${eater}    my-tests    pod_name=eater
    Wait Until Pod Is Ready    eater    my-tests
    <<Pod Should Run Out Of Memory>>

Several Containers
    Apply Manifest    ${CURDIR}/two_containers.yaml    my-tests    pod_name=pair
    Wait Until Pod Is Ready    pair    my-tests
    <<Observe Containers>>
    Note Checkpoint Request    ${all}
    ${action}=    Checkpoint Pod    name=pair    namespace=my-tests
    Wait Until Action Completes    ${action}
    Note Checkpoint Done    ${all}
    Delete Pod    pair    my-tests
    ${restore}=    Restore Pod    ${action}    cluster_id=${ID}    name=pair-restored
    Wait Until Action Completes    ${restore}
    Wait Until Pod Is Ready    pair-restored    my-tests
    <<Containers Should Have Continued>>
    <<Cut Should Be Consistent>>

Several Pods
    Delete Pod    web-restored    my-tests
    <<Wait Until All Pods Are Ready>>
    <<Observe Workloads>>
    Note Checkpoint Request    ${observed}
    VAR    ${pod}    ${pods}[0]
    <<Checkpoint Pods>>
    <<All Should Be Complete>>
    Note Checkpoint Done    ${observed}
    VAR    ${cluster_id}    ${ID}
    <<Expect Restored Pods>>
    <<Restore Pods>>
    <<Wait Until Restored Pods Are Ready>>
    <<Workloads Should Have Continued>>
    <<Deprecate Checkpoints Of Actions>>
    <<Delete Pods>>

A Report
    VAR    @{left}    namespace my-tests
    <<Record Leftovers>>
    <<Record Environment>>
    <<Record Measurement>>
    <<Record Verdict>>
    <<Record Phase>>
    <<Record Checkpoint Storage>>
    <<Export Results>>
    <<Log Pod Before And After>>
    <<Set Step Outcome>>
    <<Collect Diagnostics>>
    <<Publish Evidence>>

The End
    <<Evict Pod>>
    <<Delete Pod>>
    <<Wait Until Deleted Pods Are Gone>>
    <<Pod Should Not Exist>>
    Delete Namespace    my-tests
    <<Delete Namespace>>
    <<Uninstall Release>>
    VAR    ${cluster_id}    ${ID}
    <<Deregister Cluster>>
    <<Remove Everything This Run Made>>
    <<Nothing Should Be Left>>
    <<Keep Everything This Run Made>>


*** Keywords ***
Keep As Another Run
    [Documentation]    Writes what a run that is over has left in its ledger, of the sandbox that there is.
    [Arguments]    ${run}
    ${facts}=    Get Cluster Facts
    Create File    ${CURDIR}/token    ${facts.token.value}
    VAR    &{environment}    provider=sandbox    kubeconfig=${facts.kubeconfig}    context=${NONE}    chart=${facts.chart}
    ...    propagator_url=${facts.propagator_url}    token_file=${CURDIR}/token    second_kubeconfig=${NONE}
    VAR    &{header}    run=${run}    pid=${0}    started=${0}
    VAR    &{kept}    op=kept    environment=${environment}
    Create File    %{LEDGER_DIR}/${run}.jsonl    ${{json.dumps($header)}}\n${{json.dumps($kept)}}\n
